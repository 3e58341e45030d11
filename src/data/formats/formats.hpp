#pragma once
// The file formats that a card can name: one row per format, one .cpp per reader. Private to src/data.
// Checksums and where files lie are left to card.cpp.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/data/card.hpp"

namespace condenser::data {

struct Format {
  std::string_view name;
  std::string_view files;  // for messages: what a split lists
  bool folders = false;    // paths of a split are folders
  // Throws core::Error, when the card does not fit the format.
  void (*check)(const Card&, const std::string& split);
  // The classes that the data of a split name, sorted. Null: the card must list them.
  std::vector<std::string> (*classes)(const Card&, const std::string& split);
  // `files` exist, the card has classes. Throws core::Error naming file, bytes or item.
  std::shared_ptr<const Dataset> (*open)(const Card&, const std::string& split,
                                         const std::vector<std::filesystem::path>& files, const OpenOptions&);
  // Of formats with folders: the files that a checksum covers, sorted.
  std::vector<std::filesystem::path> (*contents)(const std::filesystem::path& folder) = nullptr;
  // Of formats whose splits are lists: the files that one names.
  std::vector<std::string> (*named)(const Card&, const std::string& split) = nullptr;
  bool others = false;     // with a list of classes, folders of no class may lie among theirs
  bool one_shape = false;  // a file holds many pictures, all of the card's shape
};

const std::vector<Format>& formats();
const Format& find_format(const std::string& name);  // throws core::Error

// What readers of files with many items return.
struct RawImages {
  std::vector<uint8_t> pixels;  // [n, c, h, w]
  std::vector<int> labels;      // [n], all within the card's classes
};

// IDX (the format of MNIST): big-endian header 00 00 08 <dimensions>, extents, bytes.
void check_idx(const Card&, const std::string& split);
RawImages read_idx(const Card&, const std::vector<std::filesystem::path>& files);

// CIFAR's binary version: records of one label byte (CIFAR-100: coarse and fine) and the planes.
void check_cifar_binary(const Card&, const std::string& split);
RawImages read_cifar_binary(const Card&, const std::vector<std::filesystem::path>& files);

// One folder per class.
void check_image_folder(const Card&, const std::string& split);
std::vector<std::string> image_folder_classes(const Card&, const std::string& split);
std::shared_ptr<const Dataset> open_image_folder(const Card&, const std::string& split,
                                                 const std::vector<std::filesystem::path>& files, const OpenOptions&);

// A CSV file with the columns `path` (relative to the file) and `label`.
void check_csv(const Card&, const std::string& split);
std::vector<std::string> csv_classes(const Card&, const std::string& split);
std::vector<std::string> csv_pictures(const Card&, const std::string& split);  // the files that it names
std::shared_ptr<const Dataset> open_csv(const Card&, const std::string& split,
                                        const std::vector<std::filesystem::path>& files, const OpenOptions&);

// Folders of words with lists of validation and test clips: Speech Commands.
void check_wav_folder(const Card&, const std::string& split);
std::vector<std::string> wav_folder_classes(const Card&, const std::string& split);
std::shared_ptr<const Dataset> open_wav_folder(const Card&, const std::string& split,
                                               const std::vector<std::filesystem::path>& files, const OpenOptions&);
std::vector<float> load_sound(const Card&, const std::filesystem::path& file);        // one item of such a set
std::vector<std::filesystem::path> sound_files(const std::filesystem::path& folder);  // and the lists
bool has_list(const std::filesystem::path& folder, const std::string& split);         // of validation or test clips
// Of the first clip below a folder that can be read, in Hz; 0: there is none.
int sound_rate(const std::filesystem::path& folder);

// A folder of int8 features, a file per item, and y_labels.csv: MLPerf Tiny's accuracy sets.
void check_features_int8(const Card&, const std::string& split);
std::shared_ptr<const Dataset> open_features_int8(const Card&, const std::string& split,
                                                  const std::vector<std::filesystem::path>& files, const OpenOptions&);
std::vector<std::filesystem::path> int8_files(const std::filesystem::path& folder);  // and y_labels.csv

inline constexpr std::string_view kPictureEndings[] = {".jpg", ".jpeg", ".png"};
inline constexpr std::string_view kSoundEndings[] = {".wav"};
inline constexpr char kNoiseFolder[] = "_background_noise_";  // of sounds: no class, noises to be mixed in

// The files below `folder` that are images by their extension, sorted; see list_files().
std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder);

// Throws core::Error naming file and item, unless 0 <= label < number of classes.
void check_label(int label, int64_t item, const std::filesystem::path& file, const Card&);

// The same with the shape that its files hold.
Card as_stored(const Card&);

// Where the first path of a split lies.
std::filesystem::path place_of(const Card&, const std::string& split);

// Throws core::Error unless the split lists one path and the shape has 1 or 3 channels.
void check_pictures(const Card&, const std::string& split, std::string_view what);

// "3x32x32"
std::string shape_text(const ItemShape&);

}  // namespace condenser::data
