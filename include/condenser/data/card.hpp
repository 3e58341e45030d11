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
  std::string format;  // a row of src/data/formats/formats.cpp
  ItemShape shape;
  std::vector<std::string> classes;
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

enum class Verify { Checksums, No };

// SHA-256 of a file. Of a folder: of the text that lists what the format reads of it ("<sha256>  <path below the
// folder>\n", sorted by path), which is what sha256sum prints.
std::string checksum(const std::filesystem::path& file_or_folder, const std::string& format = "image_folder");

// Reads a split completely into memory. Throws core::Error: missing file, wrong checksum, truncated or malformed bytes,
// label outside the classes.
std::shared_ptr<const Dataset> open_split(const Card&, const std::string& split, Verify = Verify::Checksums);

}  // namespace condenser::data
