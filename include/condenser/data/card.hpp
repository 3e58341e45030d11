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

namespace condenser::data {

struct CardFile {
  std::string path;    // relative to the card's `root`
  std::string sha256;  // hex; empty: not verified (user's own folders)
};

struct Card {
  std::filesystem::path file;  // the card itself
  std::filesystem::path root;  // folder of the data: beside the card, or under CONDENSER_DATA
  std::string name, about, source, license;
  std::string format;  // idx, cifar_binary, image_folder
  ItemShape shape;
  std::vector<std::string> classes;
  Normalization normalization;
  std::map<std::string, std::vector<CardFile>> splits;  // train, test, optionally validation
};

Card read_card(const std::filesystem::path& card_or_folder);  // throws ConfigError

enum class Verify { Checksums, No };

// Reads a split completely into memory. Throws core::Error: missing file, wrong checksum, truncated or malformed bytes,
// label outside the classes.
std::shared_ptr<const Dataset> open_split(const Card&, const std::string& split, Verify = Verify::Checksums);

}  // namespace condenser::data
