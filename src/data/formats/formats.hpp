#pragma once
// The file formats that a card can name: one row per format, one .cpp per reader. Private to src/data.
// Checksums and where files lie are left to card.cpp.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/data/card.hpp"

namespace condenser::data {

// What a reader makes of a split's files.
struct RawImages {
  std::vector<uint8_t> pixels;  // [n, c, h, w]
  std::vector<int> labels;      // [n], all within `classes`
  std::vector<std::string> classes;
};

struct Format {
  std::string_view name;
  std::string_view files;  // for messages: what a split lists
  bool folders = false;    // paths of a split are folders
  // Throws core::Error, when the card does not fit the format.
  void (*check)(const Card&, const std::string& split);
  // `files` exist. Throws core::Error naming file, bytes or item.
  RawImages (*read)(const Card&, const std::vector<std::filesystem::path>& files);
  // Of formats with folders: the files that a checksum covers, sorted.
  std::vector<std::filesystem::path> (*contents)(const std::filesystem::path& folder) = nullptr;
  // Instead of `read`, where items are not 8-bit images.
  std::shared_ptr<const Dataset> (*open)(const Card&, const std::string& split,
                                         const std::vector<std::filesystem::path>& files) = nullptr;
};

const std::vector<Format>& formats();
const Format& find_format(const std::string& name);  // throws core::Error

// IDX (the format of MNIST): big-endian header 00 00 08 <dimensions>, extents, bytes.
void check_idx(const Card&, const std::string& split);
RawImages read_idx(const Card&, const std::vector<std::filesystem::path>& files);

// CIFAR-10's binary version: records of one label byte and the planes.
void check_cifar_binary(const Card&, const std::string& split);
RawImages read_cifar_binary(const Card&, const std::vector<std::filesystem::path>& files);

// One folder per class.
void check_image_folder(const Card&, const std::string& split);
RawImages read_image_folder(const Card&, const std::vector<std::filesystem::path>& files);

// Folders of words with lists of validation and test clips: Speech Commands.
void check_wav_folder(const Card&, const std::string& split);
std::shared_ptr<const Dataset> open_wav_folder(const Card&, const std::string& split,
                                               const std::vector<std::filesystem::path>& files);
std::vector<std::filesystem::path> sound_files(const std::filesystem::path& folder);  // and the lists

// A folder of int8 features, a file per item, and y_labels.csv: MLPerf Tiny's accuracy sets.
void check_features_int8(const Card&, const std::string& split);
std::shared_ptr<const Dataset> open_features_int8(const Card&, const std::string& split,
                                                  const std::vector<std::filesystem::path>& files);
std::vector<std::filesystem::path> int8_files(const std::filesystem::path& folder);  // and y_labels.csv

// The files below `folder` that are images by their extension, sorted; hidden ones are passed over.
std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder);

// Throws core::Error naming file and item, unless 0 <= label < number of classes.
void check_label(int label, int64_t item, const std::filesystem::path& file, const Card&);

// "3x32x32"
std::string shape_text(const ItemShape&);

}  // namespace condenser::data
