#pragma once
// datasets/<name>/card.yaml: source, licence, checksums, classes, splits, normalization; opening a split verifies its
// files.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"
#include "condenser/data/features.hpp"
#include "condenser/data/finding.hpp"

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
  std::optional<ItemShape>
      stored;  // of items in their file, where it has all of them and `shape` is another; see prepare()
  std::vector<std::string> classes;
  std::vector<std::string> normal;  // see choose_normal(): of those the data have, `classes` are then normal, anomalous
  std::vector<std::string> classes_of_data;  // with `normal`: those; else empty
  std::string labels = "fine";               // cifar100_binary: which of the two label bytes counts, fine or coarse
  bool multi_label = false;                  // csv: an item has any number of classes, "a;b" in its label column
  Normalization normalization;
  AudioOptions audio;  // of wav_folder
  double unknown_share = 0.1,
         silence_share = 0.1;  // size of classes _unknown_ and _silence_ that are made up from other
                               // words and from noise, relative to all clips of the other classes
  double scale = 1.0;          // of features_int8: value = scale * (q - zero_point)
  int zero_point = 0;
  std::map<std::string, std::vector<CardFile>> splits;  // train, test, validation; at least one
  bool allow_empty_classes = false;                     // a class may have no item to learn from
  // Above 0, and without a split test: so much of each class of split train is split test instead, chosen by the seed.
  double test_fraction = 0.0;
  uint64_t split_seed = 1;
  bool has_split(const std::string& split) const;  // named or cut
};

// Reads datasets/<name>/card.yaml (or the folder that holds it). Needs no data to be there. Throws ConfigError.
Card read_card(const std::filesystem::path& card_or_folder);

// SHA-256 of a file. Of a folder: of the text that lists what the format reads of it ("<sha256>  <path below the
// folder>\n", sorted by path), which is what sha256sum prints.
std::string checksum(const std::filesystem::path& file_or_folder, const std::string& format = "image_folder");

// A card for a folder of one's own with pictures or WAV files in <part>/<class>/ or in <class>/. The parts may have any
// of their usual names (train, training; test, testing; validation, val, valid, dev, eval; letters of either case);
// without a part for testing it is cut, see Card::test_fraction. Pictures are brought to `shape`, with mean 0.5 and std
// 0.25; sounds (where there is no picture) get the default front-end at the rate of the first clip, and lists of clips
// beside the classes are obeyed. Says in the log what was taken for what. Throws core::Error for folders that can be
// read in two ways, or in none. Or for a table, whose rows name pictures and one label each; of a table that is called
// train (.csv, .tsv) those beside it, called test and validation, are the other parts.
bool is_table(const std::filesystem::path&);
Card folder_card(const std::filesystem::path& folder, const ItemShape&, double test_fraction, uint64_t split_seed);
// Tells whether the files of a split are those of an earlier call, without decoding them: "120 files 3f2a...", of the
// checksums that the card gives, else of names, sizes and contents. Of a split of more than 256 MiB only the first
// and last 4 KiB of at most 20 000 files, evenly spread, are read: a change that keeps the size of a file may not be
// noticed there. Of a CSV file the pictures that it names count too. "": the split, or its data, are not there.
std::string fingerprint(const Card&, const std::string& split);

// Fills in the classes of a card that leaves them to its data: the sorted folders of an image folder's training split,
// the sorted labels of a CSV file. Throws core::Error when the training data are missing or hold fewer than two, when
// two names differ in nothing that people see, or when another split (whose data are there) has a class more.
void find_classes(Card&);

// Why a file, folder or line that lies among the data is not used.
enum class Why {
  Hidden,
  System,        // Thumbs.db, __MACOSX, @eaDir ...
  Ending,        // of no kind that the data set is made of
  OtherPicture,  // a picture that is not read: .bmp, .webp, .heic ...
  OtherSound,    // a sound that is not read: .mp3, .flac ...
  Outside,       // beside the folders of classes instead of in them
  NoClass,       // in a folder that is no class
  NoSplit,       // in a folder that is no split
  NotListed,     // beside files that a list names
  ListedTwice,   // a line of a list that names a file again
  BrokenLink,    // leads nowhere, or to itself
  Loop,          // leads to a folder that is read already
  Special,       // a device, named pipe or socket
  Unlistable,    // a folder that may not be listed
};
const char* text_of(Why);  // "hidden, their names begin with a dot"
bool is_problem(Why);      // data are missing or wrong; false: what lies there need not be data

struct Unused {
  Why why = Why::Hidden;
  int64_t count = 0;
  std::vector<std::string> first;  // some names
};
std::string text_of(const Unused&);  // "2 hidden, their names begin with a dot (a/.x, b/.y)"

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
  // Takes what lies among the data and is not used, a call per reason. Without it one warning says so,
  // and a broken link where the folder of a class is expected is an error unless damage is skipped.
  std::function<void(const Unused&)> on_unused;
  // Takes all else that is noteworthy, and without on_unused that too: a call each. Without it each is a warning in the
  // log.
  std::function<void(const Finding&)> on_finding = nullptr;
};

// Opens a split. Throws core::Error: missing file, wrong checksum, truncated or malformed bytes, label outside the
// classes, a class without an item in split train unless the card allows it.
std::shared_ptr<const Dataset> open_split(const Card&, const std::string& split, const OpenOptions& = {});

}  // namespace condenser::data
