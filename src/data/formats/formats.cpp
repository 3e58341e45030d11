// The table of formats and what several readers share.
#include "data/formats/formats.hpp"

#include "condenser/core/error.hpp"

namespace condenser::data {

const std::vector<Format>& formats() {
  static const std::vector<Format> table = {
      {"idx", "two files: images, then labels", false, check_idx, read_idx},
      {"cifar_binary", "one or more files of records", false, check_cifar_binary, read_cifar_binary},
      {"image_folder", "one folder that holds a folder per class", true, check_image_folder, read_image_folder,
       image_files},
      {"wav_folder", "one folder of words, the same for every split", true, check_wav_folder, nullptr, sound_files,
       open_wav_folder},
      {"features_int8", "one folder with y_labels.csv", true, check_features_int8, nullptr, int8_files,
       open_features_int8},
  };
  return table;
}

const Format& find_format(const std::string& name) {
  std::string known;
  for (const Format& format : formats()) {
    if (format.name == name) return format;
    known += (known.empty() ? "" : ", ") + std::string(format.name);
  }
  throw core::Error("format " + name + "; expected one of " + known);
}

void check_label(int label, int64_t item, const std::filesystem::path& file, const Card& card) {
  if (label >= 0 && label < std::ssize(card.classes)) return;
  throw core::Error(file.string() + ": item " + std::to_string(item) + " has label " + std::to_string(label) +
                    "; expected 0.." + std::to_string(std::ssize(card.classes) - 1) + ", the " +
                    std::to_string(card.classes.size()) + " classes of " + card.file.string());
}

std::string shape_text(const ItemShape& shape) {
  return std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
}

}  // namespace condenser::data
