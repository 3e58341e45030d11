// A folder of pictures without a card: which of its folders are parts, and which are classes.
#include <algorithm>
#include <map>

#include "condenser/core/error.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "data/beside.hpp"
#include "data/formats/formats.hpp"
#include "data/names.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr char kLayouts[] = "expected train/<class>/ and test/<class>/, or <class>/, with .jpg or .png files";

using Parts = std::map<std::string, std::string>;  // split -> folder

Parts find_parts(const fs::path& root, const std::vector<std::string>& names) {
  Parts parts;
  for (const std::string& name : names) {
    const std::string split = split_called(name);
    if (split.empty()) continue;
    const auto [at, fresh] = parts.try_emplace(split, name);
    if (!fresh) {
      throw core::Error(root.string() + ": " + at->second + "/ and " + name + "/ would both be the " + split +
                        " part; expected one of them: join or rename them");
    }
  }
  return parts;
}

void say_aliases(const fs::path& root, const Parts& parts) {
  for (const auto& [split, name] : parts)
    if (split != name) core::log::info((root / name).string() + ": taken for the " + split + " part");
}

// Names of `names` that are classes of the training part as well.
std::vector<std::string> classes_beside(const fs::path& train, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  const std::vector<std::string> classes = list_folders(train, kPictureEndings).names;
  for (const std::string& name : names)
    if (split_called(name).empty() && std::ranges::find(classes, name) != classes.end()) found.push_back(name);
  return found;
}

// An archive often unpacks to one folder that holds the parts.
std::string deeper(const fs::path& root, const std::vector<std::string>& names) {
  std::vector<fs::path> found;
  for (const std::string& name : names)
    for (const std::string& inside : list_folders(root / name, kPictureEndings).names)
      if (split_called(inside) == "train") found.push_back(root / name);
  return found.size() == 1 ? "; did you mean " + found[0].string() + "?" : "";
}

void check_flat(const fs::path& root, const std::vector<std::string>& names) {
  int with_pictures = 0;
  for (const std::string& name : names) {
    for (const std::string& inside : list_folders(root / name, kPictureEndings).names) {
      if (split_called(inside).empty()) continue;
      throw core::Error((root / name / inside).string() + ": a part inside of " + name + "/; " + kLayouts +
                        ": put the parts outside, the classes inside");
    }
    with_pictures += list_files(root / name, kPictureEndings).files.empty() ? 0 : 1;
  }
  if (with_pictures < 2)
    throw core::Error(root.string() + ": " + std::to_string(with_pictures) + " folders with pictures; " + kLayouts);
}

void find_splits(Card& card) {
  const std::vector<std::string> names = list_folders(card.root, kPictureEndings).names;
  const Parts parts = find_parts(card.root, names);
  if (parts.contains("train")) {
    const std::vector<std::string> classes = classes_beside(card.root / parts.at("train"), names);
    if (!classes.empty()) {
      throw core::Error(card.root.string() + ": holds " + parts.at("train") + "/ and also " + core::join(classes) +
                        "/, which are classes of it; expected one layout: move the pictures into the parts, or " +
                        parts.at("train") + "/ elsewhere");
    }
    say_aliases(card.root, parts);
    for (const auto& [split, name] : parts) card.splits[split] = {{name, ""}};
    return;
  }
  if (!parts.empty()) {
    throw core::Error(card.root.string() + ": holds " + parts.begin()->second + "/, but no train/; " + kLayouts);
  }
  const std::string inside = deeper(card.root, names);
  if (!inside.empty()) throw core::Error(card.root.string() + ": no train/; " + kLayouts + inside);
  check_flat(card.root, names);
  core::log::info(card.root.string() + ": no train/, so its " + std::to_string(names.size()) +
                  " folders are taken for classes");
  card.splits["train"] = {{".", ""}};
}

}  // namespace

Card folder_card(const fs::path& folder, const ItemShape& shape, double test_fraction, uint64_t split_seed) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) throw core::Error(folder.string() + ": no such folder; " + kLayouts);
  Card card;
  const fs::path whole = fs::absolute(folder).lexically_normal();
  card.file = card.root = whole.has_filename() ? whole : whole.parent_path();
  card.name = card.root.filename().string();
  card.about = "images of one's own";
  card.format = "image_folder";
  card.shape = shape;
  card.normalization.mean.assign(static_cast<size_t>(shape.c), 0.5);
  card.normalization.std.assign(static_cast<size_t>(shape.c), 0.25);
  card.test_fraction = test_fraction;
  card.split_seed = split_seed;
  find_splits(card);
  return card;
}

}  // namespace condenser::data
