// A folder of pictures or sounds, or a table of pictures, without a card: what are its parts, and what its classes.
#include <algorithm>
#include <iterator>
#include <map>
#include <span>

#include "condenser/core/csv.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "data/beside.hpp"
#include "data/formats/formats.hpp"
#include "data/names.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr char kLayouts[] =
    "expected train/<class>/ and test/<class>/, or <class>/, with .jpg or .png files, or with .wav files";
constexpr std::string_view kTableEndings[] = {".csv", ".tsv"};

using Endings = std::span<const std::string_view>;

// Of what a folder is made: sounds where there are some and no picture. The first look stops at a picture and follows
// no links; the second takes its time.
Endings endings_in(const fs::path& root) {
  bool sounds = false;
  std::error_code failed;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, failed);
  for (const fs::recursive_directory_iterator end; !failed && at != end; at.increment(failed)) {
    if (ends_in(at->path(), kPictureEndings)) return kPictureEndings;
    sounds |= ends_in(at->path(), kSoundEndings);
  }
  if (!sounds)
    sounds = list_files(root, kPictureEndings).files.empty() && !list_files(root, kSoundEndings).files.empty();
  return sounds ? Endings(kSoundEndings) : Endings(kPictureEndings);
}

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
  const std::vector<std::string> classes = list_folders(train, {}).names;
  for (const std::string& name : names)
    if (split_called(name).empty() && std::ranges::find(classes, name) != classes.end()) found.push_back(name);
  return found;
}

// An archive often unpacks to one folder that holds the parts.
std::string deeper(const fs::path& root, const std::vector<std::string>& names) {
  std::vector<fs::path> found;
  for (const std::string& name : names)
    for (const std::string& inside : list_folders(root / name, {}).names)
      if (split_called(inside) == "train") found.push_back(root / name);
  return found.size() == 1 ? "; did you mean " + found[0].string() + "?" : "";
}

void check_flat(const fs::path& root, const std::vector<std::string>& names, Endings endings) {
  int with_items = 0;
  for (const std::string& name : names) {
    for (const std::string& inside : list_folders(root / name, {}).names) {
      if (split_called(inside).empty()) continue;
      throw core::Error((root / name / inside).string() + ": a part inside of " + name + "/; " + kLayouts +
                        ": put the parts outside, the classes inside");
    }
    with_items += list_files(root / name, endings).files.empty() ? 0 : 1;
  }
  if (with_items >= 2) return;
  const bool is_class = with_items == 0 && !list_files(root, endings).files.empty();
  throw core::Error(
      root.string() + ": " + std::to_string(with_items) + " folders with pictures or sounds; " + kLayouts +
      (is_class ? "; this may be the folder of one class: did you mean " + root.parent_path().string() + "?" : ""));
}

// Lists of clips decide, where there are some.
void add_listed_splits(Card& card) {
  for (const char* split : {"validation", "test"})
    if (has_list(card.root, split)) card.splits[split] = {{".", ""}};
}

void find_splits(Card& card, Endings endings) {
  std::vector<std::string> names = list_folders(card.root, endings).names;
  std::erase(names, kNoiseFolder);
  const Parts parts = find_parts(card.root, names);
  if (parts.contains("train")) {
    const std::vector<std::string> classes = classes_beside(card.root / parts.at("train"), names);
    if (!classes.empty()) {
      throw core::Error(card.root.string() + ": holds " + parts.at("train") + "/ and also " + core::join(classes) +
                        "/, which are classes of it; expected one layout: move the classes into the parts, or " +
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
  check_flat(card.root, names, endings);
  core::log::info(card.root.string() + ": no train/, so its " + std::to_string(names.size()) +
                  " folders are taken for classes");
  card.splits["train"] = {{".", ""}};
  if (card.format == "wav_folder") add_listed_splits(card);
}

void be_of_pictures(Card& card, const ItemShape& shape) {
  card.about = "images of one's own";
  card.format = "image_folder";
  card.shape = shape;
  card.normalization.mean.assign(static_cast<size_t>(shape.c), 0.5);
  card.normalization.std.assign(static_cast<size_t>(shape.c), 0.25);
}

// Tables beside one that is called train are the other parts, if they have the names of parts.
void find_tables(Card& card, const fs::path& table) {
  card.splits["train"] = {{table.filename().string(), ""}};
  if (split_called(table.stem().string()) != "train") return;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(card.root, failed)) {
    const std::string split = split_called(entry.path().stem().string());
    if (split.empty() || split == "train" || !ends_in(entry.path(), kTableEndings)) continue;
    if (card.splits.contains(split))
      throw core::Error(card.root.string() + ": " + card.splits.at(split).front().path + " and " +
                        entry.path().filename().string() + " would both be the " + split +
                        " part; expected one of them: join or rename them");
    card.splits[split] = {{entry.path().filename().string(), ""}};
  }
}

// A class is called by the whole label here; a card says when it is a list.
void check_single_labels(const Card& card) {
  for (const std::string& name : csv_classes(card, "train"))
    if (name.find(';') != std::string::npos)
      throw core::Error(place_of(card, "train").string() + ": label " + core::shown(name) +
                        " names several classes; expected one, or a card with format: csv and multi_label: true: see "
                        "datasets/README.md");
}

Card table_card(const fs::path& table, const ItemShape& shape) {
  Card card;
  card.file = fs::absolute(table).lexically_normal();
  card.root = card.file.parent_path();
  find_tables(card, card.file);
  card.name = (card.splits.size() > 1 ? card.root.filename() : card.file.stem()).string();
  be_of_pictures(card, shape);
  card.format = "csv";
  check_single_labels(card);
  return card;
}

// The front-end and the statistics of keyword spotting, at the rate of the clips that are there.
void be_of_sounds(Card& card) {
  card.about = "sounds of one's own";
  card.format = "wav_folder";
  if (const int rate = sound_rate(card.root); rate > 0) card.audio.sample_rate = rate;
  FeatureOptions& features = card.audio.features;
  features.high_hz = std::min(features.high_hz, card.audio.sample_rate / 2.0);
  try {
    card.shape = FrontEnd(card.audio).shape();
  } catch (const core::Error& error) {
    throw core::Error(card.root.string() + ": clips of " + std::to_string(card.audio.sample_rate) +
                      " samples a second do not suit the usual front-end (" + error.what() +
                      "); expected a card with format: wav_folder, sample_rate and features: see datasets/README.md");
  }
  card.normalization = {{-1.26}, {8.99}};  // of Speech Commands
  core::log::info(card.root.string() + ": sounds, read as " + std::to_string(card.shape.h) + " frames of " +
                  std::to_string(card.shape.w) + " MFCC of " + std::to_string(card.audio.clip_ms) + " ms at " +
                  std::to_string(card.audio.sample_rate) +
                  " Hz; a card (format: wav_folder) with clip_ms and features changes that");
}

}  // namespace

bool is_table(const fs::path& file) {
  std::error_code failed;
  return ends_in(file, kTableEndings) && fs::is_regular_file(file, failed);
}

Card folder_card(const fs::path& folder, const ItemShape& shape, double test_fraction, uint64_t split_seed) {
  std::error_code failed;
  if (is_table(folder)) {
    Card card = table_card(folder, shape);
    card.test_fraction = test_fraction;
    card.split_seed = split_seed;
    return card;
  }
  if (!fs::is_directory(folder, failed))
    throw core::Error(folder.string() + ": no such folder; " + kLayouts + ", or a table (.csv) of paths and labels");
  Card card;
  const fs::path whole = fs::absolute(folder).lexically_normal();
  card.file = card.root = whole.has_filename() ? whole : whole.parent_path();
  card.name = card.root.filename().string();
  card.test_fraction = test_fraction;
  card.split_seed = split_seed;
  const Endings endings = endings_in(card.root);
  if (endings.data() == std::data(kSoundEndings))
    be_of_sounds(card);
  else
    be_of_pictures(card, shape);
  find_splits(card, endings);
  return card;
}

}  // namespace condenser::data
