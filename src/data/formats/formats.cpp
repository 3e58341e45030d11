// The table of formats and what several readers share.
#include "data/formats/formats.hpp"

#include "condenser/core/error.hpp"
#include "data/pixels.hpp"

namespace condenser::data {
namespace {

using Files = std::vector<std::filesystem::path>;

template <RawImages (*read)(const Card&, const Files&)>
std::shared_ptr<const Dataset> open_in_memory(const Card& card, const std::string&, const Files& files,
                                              const OpenOptions&) {
  RawImages raw = read(as_stored(card), files);
  if (card.stored) raw.pixels = brought_to(card.shape, raw.pixels, *card.stored);
  return make_image_dataset(card.shape, card.classes, card.normalization, std::move(raw.pixels), std::move(raw.labels));
}

}  // namespace

const std::vector<Format>& formats() {
  static const std::vector<Format> table = {
      {"idx", "two files: images, then labels", false, check_idx, nullptr, open_in_memory<read_idx>, nullptr, nullptr,
       false, true},
      {"cifar_binary", "one or more files of records", false, check_cifar_binary, nullptr,
       open_in_memory<read_cifar_binary>, nullptr, nullptr, false, true},
      {"cifar100_binary", "one or more files of records", false, check_cifar_binary, nullptr,
       open_in_memory<read_cifar_binary>, nullptr, nullptr, false, true},
      {"image_folder", "one folder that holds a folder per class", true, check_image_folder, image_folder_classes,
       open_image_folder, image_files},
      {"csv", "one CSV file with the columns path and label", false, check_csv, csv_classes, open_csv, nullptr,
       csv_pictures},
      {"wav_folder", "one folder of words, the same for every split", true, check_wav_folder, wav_folder_classes,
       open_wav_folder, sound_files, nullptr, true},
      {"features_int8", "one folder with y_labels.csv", true, check_features_int8, nullptr, open_features_int8,
       int8_files},
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

Card as_stored(const Card& card) {
  Card stored = card;
  if (card.stored) stored.shape = *card.stored;
  return stored;
}

std::filesystem::path place_of(const Card& card, const std::string& split) {
  const std::string& path = card.splits.at(split).at(0).path;
  return path == "." ? card.root : card.root / path;
}

void check_pictures(const Card& card, const std::string& split, std::string_view what) {
  const size_t paths = card.splits.at(split).size();
  if (paths != 1) {
    throw core::Error("split " + split + " lists " + std::to_string(paths) + " paths; expected one " +
                      std::string(what));
  }
  if (card.shape.c != 1 && card.shape.c != 3) {
    throw core::Error("shape has " + std::to_string(card.shape.c) + " channels; expected 1 (grey) or 3 (RGB) for " +
                      card.format);
  }
}

std::string shape_text(const ItemShape& shape) {
  return std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
}

}  // namespace condenser::data
