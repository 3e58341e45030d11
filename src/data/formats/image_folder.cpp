// A folder per class with JPEG or PNG files: <split folder>/<class>/*.jpg. The index of a class is its place in the
// card's list, or, without one, among the sorted folders of the training split (a test split may lack a class).
// Files are listed here and decoded when asked for. Pictures are stretched to the card's shape; orientation tags of
// cameras are not looked at.
#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "data/formats/formats.hpp"
#include "data/pictures.hpp"

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

void check_folders(const fs::path& folder, const std::vector<std::string>& classes) {
  for (const std::string& name : class_folders(folder)) {
    if (std::ranges::find(classes, name) != classes.end()) continue;
    const std::string near = core::config::nearest(name, classes);
    throw core::Error((folder / name).string() + ": " + name + " is not one of the " + std::to_string(classes.size()) +
                      " classes" + (near.empty() ? "" : "; did you mean " + near + "?"));
  }
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

void check_image_folder(const Card& card, const std::string& split) { check_pictures(card, split, "folder"); }

std::vector<std::string> image_folder_classes(const Card& card) {
  const fs::path train = card.root / card.splits.at("train").at(0).path;
  if (!fs::is_directory(train)) {
    throw core::Error(train.string() + ": no such folder; its folders are the classes, as " + card.file.string() +
                      " lists none");
  }
  std::vector<std::string> names = class_folders(train);
  if (names.empty()) throw core::Error(train.string() + ": no folder in it; expected one folder per class");
  return names;
}

std::shared_ptr<const Dataset> open_image_folder(const Card& card, const std::string&,
                                                 const std::vector<fs::path>& files, const OpenOptions& options) {
  const fs::path& folder = files[0];
  check_folders(folder, card.classes);
  PictureList list;
  for (size_t label = 0; label < card.classes.size(); ++label) {
    const fs::path of_class = folder / card.classes[label];
    if (!fs::is_directory(of_class)) continue;  // a test split may lack a class
    const std::vector<fs::path> pictures = image_files(of_class);
    if (pictures.empty()) throw core::Error(of_class.string() + ": no .jpg, .jpeg or .png file in it");
    for (const fs::path& picture : pictures) list.files.push_back(picture.string());
    list.labels.resize(list.files.size(), static_cast<int>(label));
  }
  if (list.labels.empty()) throw core::Error(folder.string() + ": none of the classes has a folder here");
  return open_pictures(std::make_shared<Pictures>(std::move(list), card.shape, card.classes, card.normalization),
                       options);
}

}  // namespace condenser::data
