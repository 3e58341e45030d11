// A folder per class with JPEG or PNG files: <split folder>/<class>/*.jpg. The index of a class is its place in the
// card's list, or, without one, among the sorted folders of the training split (a test split may lack a class).
// Pictures are stretched to the card's shape; orientation tags of cameras are not looked at.
#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool has_image_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<std::string> class_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !is_hidden(entry.path())) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> class_names(const Card& card) {
  if (!card.classes.empty()) return card.classes;
  const fs::path train = card.root / card.splits.at("train").at(0).path;
  if (!fs::is_directory(train)) {
    throw core::Error(train.string() + ": no such folder; its folders are the classes, as " + card.file.string() +
                      " lists none");
  }
  std::vector<std::string> names = class_folders(train);
  if (names.empty()) throw core::Error(train.string() + ": no folder in it; expected one folder per class");
  return names;
}

void check_folders(const fs::path& folder, const std::vector<std::string>& classes) {
  for (const std::string& name : class_folders(folder)) {
    if (std::ranges::find(classes, name) != classes.end()) continue;
    const std::string near = core::config::nearest(name, classes);
    throw core::Error((folder / name).string() + ": " + name + " is not one of the " + std::to_string(classes.size()) +
                      " classes" + (near.empty() ? "" : "; did you mean " + near + "?"));
  }
}

void append_picture(const fs::path& file, const Card& card, RawImages& raw) {
  const Picture picture = decode_picture(core::read_file(file), static_cast<int>(card.shape.c), file);
  const size_t at = raw.pixels.size();
  raw.pixels.resize(at + card.shape.elements());
  resize_to_planes(picture, static_cast<int>(card.shape.h), static_cast<int>(card.shape.w),
                   std::span<uint8_t>(raw.pixels).subspan(at));
}

}  // namespace

std::vector<fs::path> image_files(const fs::path& folder) {
  std::vector<fs::path> files;
  int64_t others = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(folder, failed), end; it != end && !failed; it.increment(failed)) {
    const bool folder_inside = it->is_directory();
    if (is_hidden(it->path())) {
      if (folder_inside) it.disable_recursion_pending();
    } else if (has_image_extension(it->path()) && !folder_inside) {
      files.push_back(it->path());
    } else if (!folder_inside) {
      ++others;
    }
  }
  if (failed) throw core::Error(folder.string() + ": cannot be listed: " + failed.message());
  if (others > 0) {
    core::log::warning(folder.string() + ": passed over " + std::to_string(others) +
                       " files that are not .jpg, .jpeg or .png");
  }
  // Byte order of the whole path, as LC_ALL=C sort has it; paths compare by component.
  std::ranges::sort(files, {}, [](const fs::path& file) -> const std::string& { return file.native(); });
  return files;
}

void check_image_folder(const Card& card, const std::string& split) {
  if (card.splits.at(split).size() != 1) {
    throw core::Error("split " + split + " lists " + std::to_string(card.splits.at(split).size()) +
                      " paths; expected one folder");
  }
  if (card.shape.c != 1 && card.shape.c != 3) {
    throw core::Error("shape has " + std::to_string(card.shape.c) +
                      " channels; expected 1 (grey) or 3 (RGB) for image_folder");
  }
}

RawImages read_image_folder(const Card& card, const std::vector<fs::path>& files) {
  RawImages raw;
  raw.classes = class_names(card);
  const fs::path& folder = files[0];
  check_folders(folder, raw.classes);
  for (size_t label = 0; label < raw.classes.size(); ++label) {
    const fs::path of_class = folder / raw.classes[label];
    if (!fs::is_directory(of_class)) continue;  // a test split may lack a class
    const std::vector<fs::path> pictures = image_files(of_class);
    if (pictures.empty()) throw core::Error(of_class.string() + ": no .jpg, .jpeg or .png file in it");
    for (const fs::path& picture : pictures) {
      append_picture(picture, card, raw);
      raw.labels.push_back(static_cast<int>(label));
    }
  }
  if (raw.labels.empty()) throw core::Error(folder.string() + ": none of the classes has a folder here");
  return raw;
}

}  // namespace condenser::data
