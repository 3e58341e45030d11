// Cards: reading card.yaml, finding the data, verifying checksums, opening a split through the table of formats.
// The formats themselves are in formats/.
#include "condenser/data/card.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <set>

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"
#include "condenser/data/split.hpp"
#include "data/beside.hpp"
#include "data/formats/formats.hpp"
#include "data/names.hpp"
#include "data/parallel.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

using core::config::Reader;

constexpr char kVariable[] = "CONDENSER_DATA";
constexpr std::string_view kVariablePrefix = "$CONDENSER_DATA";
constexpr char kDefaultData[] = "../shared/data";  // beside the checkout
constexpr int64_t kLargestExtent = 1 << 15;

bool uses_variable(const std::string& root_text) {
  return root_text == kVariablePrefix || root_text.starts_with(std::string(kVariablePrefix) + "/");
}

std::string variable_value() {
  const char* value = std::getenv(kVariable);
  return value ? value : "";
}

// CONDENSER_DATA, or ../shared/data as seen from the card's folder or any folder above it. Need not exist.
fs::path data_folder(const fs::path& card_file) {
  const std::string value = variable_value();
  if (!value.empty()) return value;
  try {
    return core::config::find_file(kDefaultData, card_file);
  } catch (const core::Error&) {
    return kDefaultData;  // open_split says that it is missing
  }
}

fs::path resolve_root(const std::string& text, const fs::path& card_file) {
  if (!uses_variable(text)) {
    const fs::path folder = (card_file.parent_path() / (text.empty() ? "." : text)).lexically_normal();
    return folder.has_filename() ? folder : folder.parent_path();  // without the slash at the end
  }
  const fs::path rest = fs::path(text.substr(kVariablePrefix.size())).relative_path();
  return (data_folder(card_file) / rest).lexically_normal();
}

bool stays_below(const fs::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  return std::ranges::none_of(path, [](const fs::path& part) { return part == ".."; });
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::vector<CardFile> read_files(Reader splits, const std::string& split) {
  std::vector<CardFile> files;
  for (Reader& entry : splits.sections(split, "files of the split, in the order that the format expects")) {
    CardFile file;
    entry.text("path", file.path, "file or folder, relative to root");
    entry.text("sha256", file.sha256, "checksum; without it the file is not verified");
    if (!stays_below(file.path)) throw entry.error("path", "a relative path below root, without ..");
    if (!file.sha256.empty() && !is_sha256(file.sha256)) throw entry.error("sha256", "64 hexadecimal digits");
    std::ranges::transform(file.sha256, file.sha256.begin(), [](unsigned char c) { return std::tolower(c); });
    files.push_back(std::move(file));
  }
  return files;
}

void read_splits(Reader& reader, Card& card) {
  Reader splits = reader.section("splits", "files of each split");
  for (const char* split : {"train", "test", "validation"}) {
    std::vector<CardFile> files = read_files(splits, split);
    if (!files.empty()) card.splits[split] = std::move(files);
  }
  if (card.splits.empty()) throw splits.error("train", "a list of files: - {path: ..., sha256: ...}");
}

std::string list_text(const std::vector<double>& values, double factor = 1) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(core::significant(value * factor, 4));
  return "[" + core::join(texts) + "]";
}

// Of pictures: statistics of bytes, 0..255, are a common mistake.
void check_range(Reader& reader, const Normalization& n) {
  const auto outside = [](double x) { return x < 0 || x > 1; };
  const bool wrong_mean = std::ranges::any_of(n.mean, outside), wrong_std = std::ranges::any_of(n.std, outside);
  if (!wrong_mean && !wrong_std) return;
  const auto of_bytes = [](double x) { return x >= 0 && x <= 255; };
  std::string expected =
      "values of 0..1, as pixels are scaled to 0..1; found mean " + list_text(n.mean) + " and std " + list_text(n.std);
  if (std::ranges::all_of(n.mean, of_bytes) && std::ranges::all_of(n.std, of_bytes)) {
    const double mean_factor = wrong_mean ? 1 / 255.0 : 1, std_factor = wrong_std ? 1 / 255.0 : 1;
    expected +=
        "; of bytes 0..255 that is mean " + list_text(n.mean, mean_factor) + " and std " + list_text(n.std, std_factor);
  }
  throw reader.error(wrong_mean ? "mean" : "std", expected);
}

void read_normalization(Reader& reader, Card& card) {
  Normalization& normalization = card.normalization;
  normalization.mean.assign(card.shape.c, 0.0);
  normalization.std.assign(card.shape.c, 1.0);
  reader.numbers("mean", normalization.mean, -1e3, 1e3, "mean per channel of values scaled to 0..1");
  reader.numbers("std", normalization.std, 1e-6, 1e3, "standard deviation per channel, of the same values");
  const std::string expected = std::to_string(card.shape.c) + " numbers, one per channel";
  if (std::ssize(normalization.mean) != card.shape.c) throw reader.error("mean", expected);
  if (std::ssize(normalization.std) != card.shape.c) throw reader.error("std", expected);
  if (card.format != "wav_folder" && card.format != "features_int8") check_range(reader, normalization);
}

// Keys that only some formats have.
void read_format_options(Reader& reader, Card& card) {
  if (card.format == "wav_folder") {
    read_options(reader, card.audio);
    reader.number("unknown_share", card.unknown_share, 0.001, 100, "made-up class _unknown_, relative to the words");
    reader.number("silence_share", card.silence_share, 0.001, 100, "made-up class _silence_, relative to the words");
  } else if (card.format == "features_int8") {
    reader.number("scale", card.scale, 1e-9, 1e9, "value = scale * (integer - zero_point)");
    reader.integer("zero_point", card.zero_point, -128, 127, "the integer that stands for 0");
  }
}

// That of sounds follows from their features; a card may repeat it.
void read_shape(Reader& reader, Card& card) {
  std::vector<int> shape;
  if (card.format == "wav_folder") {
    const ItemShape made = FrontEnd(card.audio).shape();
    shape = {static_cast<int>(made.c), static_cast<int>(made.h), static_cast<int>(made.w)};
  }
  reader.integers("shape", shape, 1, kLargestExtent, "channels, height, width of an item");
  if (shape.size() != 3) throw reader.error("shape", "three integers: [channels, height, width]");
  card.shape = {shape[0], shape[1], shape[2]};
}

void read_classes(Reader& reader, Card& card) {
  reader.texts("classes", card.classes, "names, in the order of the labels");
  const std::set<std::string> different(card.classes.begin(), card.classes.end());
  if (different.size() != card.classes.size() || different.contains("")) {
    throw reader.error("classes", "different names, none empty");
  }
  const std::string twins = alike(card.classes, LetterCase::Kept);  // who lists "a" and "A" means it
  if (!twins.empty()) throw reader.error("classes", "names that people can tell apart: " + twins);
  reader.boolean("allow_empty_classes", card.allow_empty_classes, "a class may have no item to learn from");
}

void read_format(Reader& reader, Card& card) {
  std::vector<std::string> names;
  for (const Format& format : formats()) names.emplace_back(format.name);
  reader.choice("format", card.format, names, "how the files are read");
  if (card.format.empty()) throw reader.error("format", "the name of a format");
  reader.choice("labels", card.labels, {"fine", "coarse"}, "cifar100_binary: which of its two labels counts");
  if (reader.has("labels") && card.format != "cifar100_binary") {
    throw reader.error("labels", "this key only with format: cifar100_binary");
  }
  reader.boolean("multi_label", card.multi_label,
                 "csv: an item has any number of classes, separated by ; in its label");
  if (card.multi_label && card.format != "csv") throw reader.error("multi_label", "this key only with format: csv");
}

// How the place was found, for messages about things that are not there.
std::string search_hint(const Card& card) {
  const std::string origin = card.file.string() + ": root: " + (card.root_text.empty() ? "." : card.root_text);
  if (!uses_variable(card.root_text)) return "; looked in " + card.root.string() + " (" + origin + ")";
  const std::string value = variable_value();
  const std::string state = value.empty()
                                ? std::string("is not set; looked for ") + kDefaultData + " beside and above the card"
                                : "= " + value;
  return "; looked in " + card.root.string() + " (" + origin + "; " + kVariable + " " + state + "); set " + kVariable +
         " to the folder that holds " +
         (card.root_text == kVariablePrefix ? "the data" : card.root.filename().string());
}

fs::path find_data(const Card& card, const Format& format, const CardFile& file) {
  const fs::path path = file.path == "." ? card.root : card.root / file.path;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw core::Error(path.string() + ": no such " + (format.folders ? "folder" : "file") + search_hint(card));
  }
  if (format.folders ? !fs::is_directory(path, ignored) : !fs::is_regular_file(path, ignored)) {
    throw core::Error(path.string() + ": not a " + (format.folders ? "folder" : "file") + "; expected " +
                      std::string(format.files) + " (" + card.file.string() + ")");
  }
  return path;
}

void verify_checksum(const Card& card, const fs::path& path, const CardFile& file) {
  if (file.sha256.empty()) return;
  const std::string found = checksum(path, card.format);
  if (found == file.sha256) return;
  throw core::Error(path.string() + ": sha256 " + found + "; expected " + file.sha256 + " (" + card.file.string() +
                    "); the data differ from what the card describes: fetch them again, or correct the card");
}

const std::vector<CardFile>& files_of(const Card& card, const std::string& split) {
  const auto found = card.splits.find(split);
  if (found != card.splits.end()) return found->second;
  std::string known;
  for (const auto& [name, files] : card.splits) known += (known.empty() ? "" : ", ") + name;
  throw core::Error(card.file.string() + ": no split " + split + "; expected one of " + known);
}

}  // namespace

Card read_card(const fs::path& card_or_folder) {
  std::error_code ignored;
  Card card;
  card.file = fs::is_directory(card_or_folder, ignored) ? card_or_folder / "card.yaml" : card_or_folder;
  Reader reader = Reader::from_file(card.file);
  int version = 0;
  reader.integer("condenser_card", version, 1, 1, "version of this layout");
  if (version != 1) throw reader.error("condenser_card", "1, the version of the card's layout");
  reader.text("name", card.name, "short name");
  if (card.name.empty()) throw reader.error("name", "a short name");
  reader.text("about", card.about, "what the data are");
  reader.text("source", card.source, "where they come from");
  reader.text("license", card.license, "what may be done with them");
  read_format(reader, card);
  reader.text("root", card.root_text, "folder of the data: relative to the card, or $CONDENSER_DATA/...");
  if (card.root_text.starts_with("$") && !uses_variable(card.root_text)) {
    throw reader.error("root", "a folder relative to the card, or $CONDENSER_DATA/...");
  }
  card.root = resolve_root(card.root_text, card.file);
  read_format_options(reader, card);
  read_shape(reader, card);
  read_classes(reader, card);
  read_normalization(reader, card);
  read_splits(reader, card);
  reader.finish();
  try {
    for (const auto& [split, files] : card.splits) find_format(card.format).check(card, split);
  } catch (const core::Error& error) {
    throw core::ConfigError(card.file.string() + ": " + error.what());
  }
  return card;
}

std::string checksum(const fs::path& path, const std::string& format) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return core::sha256_file(path);
  std::string listing;
  for (const fs::path& file : find_format(format).contents(path)) {
    listing += core::sha256_file(file) + "  " + file.lexically_relative(path).generic_string() + "\n";
  }
  return core::sha256_hex(listing);
}

namespace {

bool is_there(const Card& card, const std::string& split) {
  std::error_code ignored;
  return card.splits.contains(split) && fs::exists(place_of(card, split), ignored);
}

// Found out now rather than when the test part is opened, after the training.
void check_other_splits(const Card& card) {
  const auto classes_of = find_format(card.format).classes;
  const std::set<std::string> known(card.classes.begin(), card.classes.end());
  for (const auto& [split, files] : card.splits) {
    if (!is_there(card, split)) continue;
    std::vector<std::string> unknown;
    std::string near;
    for (const std::string& name : classes_of(card, split)) {
      if (known.contains(name)) continue;
      if (near.empty()) near = suggestion(name, card.classes);
      unknown.push_back(exactly(name));
    }
    if (unknown.empty()) continue;
    const bool one = unknown.size() == 1;
    throw core::Error(place_of(card, split).string() + ": " + some_of(unknown) +
                      (one ? " is not one" : " are not among") + " of the " + std::to_string(card.classes.size()) +
                      " classes" + near);
  }
}

}  // namespace

bool Card::has_split(const std::string& split) const {
  if (splits.contains(split)) return true;
  return split == "test" && test_fraction > 0 && splits.contains("train");
}

namespace {

constexpr uintmax_t kMostHashedBytes = uintmax_t{256} << 20;  // of a split: a second or less
constexpr int64_t kMostOpenedFiles = 20'000;                  // of a larger one
constexpr std::streamoff kEndBytes = 4096;

// A file, with those that it names if it is a list; or what the format reads of a folder. What has a checksum in the
// card is left out, but not what a list with one names.
std::vector<fs::path> files_to_know(const Card& card, const std::string& split, const CardFile& entry) {
  const Format& format = find_format(card.format);
  const fs::path path = entry.path == "." ? card.root : card.root / entry.path;
  const bool verified = !entry.sha256.empty();
  if (fs::is_directory(path)) return !verified && format.contents ? format.contents(path) : std::vector<fs::path>{};
  std::vector<fs::path> files;
  if (!verified) files.push_back(path);
  if (format.named)
    for (const std::string& name : format.named(card, split)) files.emplace_back(name);
  return files;
}

// All of a file, or its first and last bytes. "": unreadable, which reading it as an item will say.
std::string content_of(const fs::path& file, bool whole) {
  std::error_code failed;
  if (!fs::is_regular_file(file, failed)) return "";
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) return "";
  const auto part = [&](std::streamoff begin, std::streamoff end) {
    std::string bytes(static_cast<size_t>(end - begin), '\0');
    in.seekg(begin);
    in.read(bytes.data(), std::ssize(bytes));
    return core::hash128(bytes).hex();
  };
  const std::string content =
      whole || size <= 2 * kEndBytes ? part(0, size) : part(0, kEndBytes) + part(size - kEndBytes, size);
  return in ? content : "";
}

std::string lines_of(const Card& card, const std::vector<fs::path>& files) {
  std::error_code gone;
  std::vector<uintmax_t> sizes;
  uintmax_t all = 0;
  for (const fs::path& file : files) {
    const uintmax_t size = fs::file_size(file, gone);
    sizes.push_back(gone ? 0 : size);
    all += sizes.back();
  }
  const bool whole = all <= kMostHashedBytes;
  const int64_t step = whole ? 1 : 1 + std::ssize(files) / kMostOpenedFiles;
  std::vector<std::string> contents(files.size());
  for_each((std::ssize(files) + step - 1) / step, [&](int64_t k) {
    const auto i = static_cast<size_t>(k * step);
    contents[i] = content_of(files[i], whole);
  });
  std::string lines;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string below = files[i].lexically_relative(card.root).generic_string();
    lines += (below.empty() ? files[i].string() : below) + " " + std::to_string(sizes[i]) + " " + contents[i] + "\n";
  }
  return lines;
}

}  // namespace

std::string fingerprint(const Card& card, const std::string& split) {
  const auto entries = card.splits.find(split);
  if (entries == card.splits.end()) return "";
  std::string listing;
  std::vector<fs::path> files;
  int64_t verified = 0;
  for (const CardFile& entry : entries->second) {
    std::error_code ignored;
    if (!fs::exists(entry.path == "." ? card.root : card.root / entry.path, ignored)) return "";
    if (!entry.sha256.empty()) {
      listing += entry.path + " " + entry.sha256 + "\n";
      ++verified;
    }
    const std::vector<fs::path> of_entry = files_to_know(card, split, entry);
    files.insert(files.end(), of_entry.begin(), of_entry.end());
  }
  listing += lines_of(card, files);
  const int64_t count = verified + std::ssize(files);
  return std::to_string(count) + (count == 1 ? " file " : " files ") + core::hash128(listing).hex().substr(0, 16);
}

namespace {

// From the training data, unless the card lists them.
void fill_classes(Card& card) {
  const auto classes = find_format(card.format).classes;
  if (!card.classes.empty() || !classes) return;
  if (!card.splits.contains("train")) {
    throw core::Error(card.file.string() + ": neither classes nor a split train to find them in; expected one of both");
  }
  card.classes = classes(card, "train");
  const fs::path place = place_of(card, "train");
  const std::string twins = alike(card.classes);
  if (!twins.empty())
    throw core::Error(place.string() + ": classes " + twins + ", or both under classes: of a card if both are meant");
  if (card.classes.size() < 2)
    throw core::Error(place.string() + ": " + std::to_string(card.classes.size()) + " classes; expected at least 2");
}

}  // namespace

void find_classes(Card& card) {
  const Format& format = find_format(card.format);
  const bool listed = !card.classes.empty();
  fill_classes(card);
  if (format.classes && !(listed && format.others)) check_other_splits(card);
}

namespace {

void check_no_class_is_empty(const Card& card, const Dataset& train) {
  if (card.allow_empty_classes) return;
  std::vector<std::string> empty;
  const std::vector<int64_t> counts = items_per_class(train);
  for (size_t c = 0; c < counts.size(); ++c)
    if (counts[c] == 0) empty.push_back(exactly(train.classes()[c]));
  if (empty.empty()) return;
  throw core::Error(place_of(card, "train").string() + ": no item of class " + some_of(empty) +
                    " to learn from; add some, remove the class, or set dataset.allow_empty_classes (in a card: "
                    "allow_empty_classes) to true");
}

std::shared_ptr<const Dataset> open_named(const Card& card, const std::string& split, const OpenOptions& options) {
  const Format& format = find_format(card.format);
  const std::vector<CardFile>& entries = files_of(card, split);
  format.check(as_stored(card), split);
  std::vector<fs::path> files;
  for (const CardFile& entry : entries) files.push_back(find_data(card, format, entry));
  if (options.verify == Verify::Checksums) {
    for (size_t i = 0; i < files.size(); ++i) verify_checksum(card, files[i], entries[i]);
  }
  Card known = card;
  fill_classes(known);
  std::shared_ptr<const Dataset> dataset = format.open(known, split, files, options);
  if (dataset->size() == 0) throw core::Error(files[0].string() + ": no items; expected at least one");
  if (split == "train") tell_unused(card.root, beside_splits(card), options);
  return dataset;
}

// Split train without its part for testing, or that part.
std::shared_ptr<const Dataset> open_cut(const Card& card, const std::string& split, const OpenOptions& options) {
  const std::shared_ptr<const Dataset> whole = open_named(card, "train", options);
  TwoWay parts = stratified_split(*whole, card.test_fraction, card.split_seed);
  keep_copies_together(*whole, parts);
  std::vector<int64_t>& part = split == "train" ? parts.first : parts.second;
  const auto taken = std::ssize(part);
  if (taken == 0)
    throw core::Error(place_of(card, "train").string() +
                      ": too few items to cut a part for testing from; add a folder test/, or more of them");
  std::shared_ptr<const Dataset> dataset = subset(whole, std::move(part));
  core::log::info(card.name + ": there is no test part, so " + core::significant(100 * card.test_fraction, 3) +
                  " % of every class of " + place_of(card, "train").string() +
                  " are kept for testing (dataset.test_fraction, split_seed " + std::to_string(card.split_seed) +
                  "): " + std::to_string(taken) + " of " + std::to_string(whole->size()) + " items are " + split);
  return dataset;
}

}  // namespace

std::shared_ptr<const Dataset> open_split(const Card& card, const std::string& split, const OpenOptions& options) {
  if (!card.normal.empty()) {
    Card plain = card;
    plain.classes = card.classes_of_data;
    plain.normal.clear();
    return tell_anomalies(open_split(plain, split, options), card.normal);
  }
  const bool cut = card.test_fraction > 0 && !card.splits.contains("test") && card.splits.contains("train") &&
                   (split == "train" || split == "test");
  std::shared_ptr<const Dataset> dataset = cut ? open_cut(card, split, options) : open_named(card, split, options);
  if (split == "train") check_no_class_is_empty(card, *dataset);
  return dataset;
}

}  // namespace condenser::data
