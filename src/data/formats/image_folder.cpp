// A folder per class with JPEG or PNG files: <split folder>/<class>/*.jpg, in folders of any depth. The index of a
// class is its place in the card's list, or, without one, among the sorted folders of the training split (a test split
// may lack a class). Files are listed here and decoded when asked for.
#include <algorithm>
#include <set>

#include "condenser/core/error.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/listing.hpp"
#include "data/names.hpp"
#include "data/pictures.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

void check_folders(const fs::path& folder, const std::vector<std::string>& names,
                   const std::vector<std::string>& classes) {
  const std::set<std::string> known(classes.begin(), classes.end());
  for (const std::string& name : names) {
    if (known.contains(name)) continue;
    throw core::Error((folder / name).string() + ": " + exactly(name) + " is not one of the " +
                      std::to_string(classes.size()) + " classes" + suggestion(name, classes));
  }
}

// A class may stand behind it.
void check_links(const UnusedFiles& unused, const OpenOptions& options) {
  if (options.on_damaged == OnDamaged::Skip || options.on_unused) return;
  for (const Unused& entry : unused.entries()) {
    if (entry.why != Why::BrokenLink) continue;
    throw core::Error(entry.first.front() +
                      ": a link that leads nowhere, where folders of classes are expected; repair or remove it, or "
                      "leave it out with dataset.on_damaged: skip");
  }
}

}  // namespace

std::vector<fs::path> image_files(const fs::path& folder) { return list_files(folder, kPictureEndings).files; }

void check_image_folder(const Card& card, const std::string& split) { check_pictures(card, split, "folder"); }

std::vector<std::string> image_folder_classes(const Card& card, const std::string& split) {
  const fs::path folder = place_of(card, split);
  std::error_code ignored;  // a link to itself is no folder either
  if (!fs::is_directory(folder, ignored)) {
    throw core::Error(folder.string() + ": no such folder; its folders are the classes, as " + card.file.string() +
                      " lists none");
  }
  std::vector<std::string> names = list_folders(folder, kPictureEndings).names;
  if (names.empty()) throw core::Error(folder.string() + ": no folder in it; expected one folder per class");
  return names;
}

std::shared_ptr<const Dataset> open_image_folder(const Card& card, const std::string&,
                                                 const std::vector<fs::path>& files, const OpenOptions& options) {
  const fs::path& folder = files[0];
  Folders folders = list_folders(folder, kPictureEndings);
  check_folders(folder, folders.names, card.classes);
  check_links(folders.unused, options);
  UnusedFiles unused = std::move(folders.unused);
  PictureList list;
  for (size_t label = 0; label < card.classes.size(); ++label) {
    const fs::path of_class = folder / card.classes[label];
    if (!std::ranges::binary_search(folders.names, card.classes[label])) continue;  // open_split says what that means
    const Listing listing = list_files(of_class, kPictureEndings);
    unused.add(listing.unused);
    for (const fs::path& picture : listing.files) list.files.push_back(picture.string());
    list.labels.resize(list.files.size(), static_cast<int>(label));
  }
  tell_unused(folder, unused, options);
  if (list.labels.empty()) {
    throw core::Error(folder.string() +
                      ": no .jpg, .jpeg or .png file in a folder of a class; expected <class>/*.jpg or *.png");
  }
  return open_pictures(std::make_shared<Pictures>(std::move(list), card.shape, card.classes, card.normalization),
                       options);
}

}  // namespace condenser::data
