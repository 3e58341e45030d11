#pragma once
// datasets/<name>/card.yaml: source, licence, checksums, classes, splits, normalization; opening a split verifies its
// files.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"
#include "condenser/data/features.hpp"

namespace condenser::data {

struct CardFile {
  std::string path;    // relative to the card's `root`
  std::string sha256;  // hex; empty: not verified (user's own folders). Of a folder: see checksum()
};

struct Card {
  std::filesystem::path file;  // the card itself
  std::filesystem::path root;  // folder of the data: beside the card, or under CONDENSER_DATA
  std::string root_text;       // as the card writes it: "", "images", "$CONDENSER_DATA/mnist_subset"
  std::string name, about, source, license;
  std::string format;  // a row of the table in src/data/formats/formats.cpp
  ItemShape shape;
  std::vector<std::string> classes;
  std::string labels = "fine";  // cifar100_binary: which of the two label bytes counts, fine or coarse
  bool multi_label = false;     // csv: an item has any number of classes, "a;b" in its label column
  Normalization normalization;
  AudioOptions audio;  // of wav_folder
  double unknown_share = 0.1,
         silence_share = 0.1;  // size of classes _unknown_ and _silence_ that are made up from other
                               // words and from noise, relative to all clips of the other classes
  double scale = 1.0;          // of features_int8: value = scale * (q - zero_point)
  int zero_point = 0;
  std::map<std::string, std::vector<CardFile>> splits;  // train, test, validation; at least one
};

// Reads datasets/<name>/card.yaml (or the folder that holds it). Needs no data to be there. Throws ConfigError.
Card read_card(const std::filesystem::path& card_or_folder);

// SHA-256 of a file. Of a folder: of the text that lists what the format reads of it ("<sha256>  <path below the
// folder>\n", sorted by path), which is what sha256sum prints.
std::string checksum(const std::filesystem::path& file_or_folder, const std::string& format = "image_folder");

// Tells whether the files of a split are those of an earlier call, without decoding them: the checksums that the card
// gives, else number, names and sizes of the files: "120 files 3f2a...". A file replaced by another of the same name and
// size is not noticed. "": the split, or its data, are not there.
std::string fingerprint(const Card&, const std::string& split);

// Fills in the classes of a card that leaves them to its data: the sorted folders of an image folder's training split,
// the sorted labels of a CSV file. Does nothing when the card lists them. Throws core::Error when the data are missing
// or hold fewer than two.
void find_classes(Card&);

enum class Verify { Checksums, No };
enum class OnDamaged { Stop, Skip };            // pictures and sounds that cannot be decoded
enum class Cache { None, Memory, Disk, Auto };  // decoded pictures kept for later epochs

// How a split is opened. The last three concern formats of single pictures (image_folder, csv), which are decoded when
// they are asked for; files of many items are read into memory in one piece.
struct OpenOptions {
  Verify verify = Verify::Checksums;
  // Stop: an unreadable picture throws, naming its file, when it is decoded: at once with a cache, else when an item is
  // asked for. Skip: the split is decoded once when it is opened; unreadable pictures are left out and reported in one
  // warning with their number and first names.
  OnDamaged on_damaged = OnDamaged::Stop;
  // Auto: in memory when the decoded split takes at most 1 GiB and a quarter of the free memory; else in a
  // memory-mapped file, up to 32 GiB; else none. Memory and Disk hold the same bytes.
  Cache cache = Cache::None;
  std::filesystem::path cache_folder;  // empty: $XDG_CACHE_HOME/condenser, or ~/.cache/condenser
  // The smallest share of a picture that draw() will be asked for. Below 1 a cache keeps pictures larger than the item
  // by 1/sqrt(crop_area), at most 2, a side, so that crops stay sharp.
  double crop_area = 1.0;
};

// Opens a split. Throws core::Error: missing file, wrong checksum, truncated or malformed bytes, label outside the
// classes.
std::shared_ptr<const Dataset> open_split(const Card&, const std::string& split, const OpenOptions& = {});

}  // namespace condenser::data
