// Looks at pictures and sounds and says what they are.

#include "cli/own_data.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "cli/run_config.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/split.hpp"
#include "data/beside.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/image.hpp"
#include "data/formats/listing.hpp"
#include "data/formats/wav.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

constexpr size_t kLookedAt = 60;  // files, spread over all

std::vector<fs::path> some_of(const std::vector<fs::path>& files) {
  std::vector<fs::path> some;
  const size_t count = std::min(files.size(), kLookedAt);
  for (size_t i = 0; i < count; ++i) some.push_back(files[i * files.size() / count]);
  return some;
}

template <class Value>
Value middle(std::vector<Value> values) {
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

std::string counted(int64_t count, const char* what) { return core::thousands(count) + " " + what; }

struct Sizes {
  std::vector<int> heights, widths;
  bool grey = true;
};

bool is_grey(const data::Picture& picture) {
  const size_t stride = picture.stride ? picture.stride : static_cast<size_t>(picture.w) * 3;
  for (int y = 0; y < picture.h; ++y)
    for (int x = 0; x < picture.w; ++x) {
      const uint8_t* pixel =
          &picture.pixels[picture.first + static_cast<size_t>(y) * stride + static_cast<size_t>(x) * 3];
      if (pixel[0] != pixel[1] || pixel[1] != pixel[2]) return false;
    }
  return true;
}

// As large as the largest that are learned from: so long does it take to read one.
const data::Wanted kShown{.window = {}, .h = 128, .w = 128};

// Of files that can be read; `condenser data check` names the others.
Sizes sizes_of(const std::vector<fs::path>& files) {
  Sizes sizes;
  std::string why;
  for (const fs::path& file : some_of(files)) {
    try {
      const data::Picture picture = data::decode_picture(core::read_file(file), 3, file, kShown);
      sizes.heights.push_back(picture.down.extent > 0 ? picture.down.extent : picture.h);
      sizes.widths.push_back(picture.across.extent > 0 ? picture.across.extent : picture.w);
      sizes.grey = sizes.grey && is_grey(picture);
    } catch (const core::Error& e) {
      why = e.what();
    }
  }
  if (sizes.heights.empty()) throw core::Error("none of the pictures that were tried can be read: " + why);
  return sizes;
}

// Sides of networks of a few stages: a multiple of four, no more than the pictures have.
int side_for(int pixels, int most) { return std::clamp(std::min(pixels, most) / 4 * 4, 16, most); }

// Square unless the pictures are far from it.
data::ItemShape shape_for(const Sizes& sizes, int most) {
  const int h = middle(sizes.heights), w = middle(sizes.widths), channels = sizes.grey ? 1 : 3;
  const bool is_square = h * 3 < w * 5 && w * 3 < h * 5;
  if (is_square) {
    const int side = side_for(std::min(h, w), most);
    return {channels, side, side};
  }
  const double scale = std::min(1.0, static_cast<double>(most) / std::max(h, w));
  const auto scaled = [&](int pixels) { return side_for(static_cast<int>(std::lround(pixels * scale)), most); };
  return {channels, scaled(h), scaled(w)};
}

// What is no size for a photograph; "" otherwise.
std::string enlarged_text(const Sizes& s, const data::ItemShape& shape) {
  const int h = middle(s.heights), w = middle(s.widths);
  if (h >= shape.h && w >= shape.w) return "";
  return ", smaller than networks need: they are enlarged to " + std::to_string(shape.w) + "x" +
         std::to_string(shape.h);
}

std::string range_text(const Sizes& s) {
  const auto [low_h, high_h] = std::minmax_element(s.heights.begin(), s.heights.end());
  const auto [low_w, high_w] = std::minmax_element(s.widths.begin(), s.widths.end());
  const std::string low = std::to_string(*low_w) + "x" + std::to_string(*low_h);
  const std::string high = std::to_string(*high_w) + "x" + std::to_string(*high_h);
  return low == high ? low : low + " to " + high;
}

constexpr int64_t kUneven = 3;  // times as many items in the largest class as in the smallest

constexpr int64_t kFew = 10;  // items of a class, of which some are kept for choices and for the test

using ClassSizes = std::map<std::string, int64_t>;

std::pair<ClassSizes::const_iterator, ClassSizes::const_iterator> extremes(const ClassSizes& items) {
  return std::minmax_element(items.begin(), items.end(), [](auto& a, auto& b) { return a.second < b.second; });
}

// What makes accuracy alone a poor measure.
bool is_uneven(const ClassSizes& items) {
  if (items.empty()) return false;
  const auto [least, most] = extremes(items);
  return most->second >= kUneven * std::max<int64_t>(1, least->second);
}

// "" for classes of about the same size, with enough of each.
std::string sizes_text(const ClassSizes& items) {
  if (items.empty()) return "";
  const auto [least, most] = extremes(items);
  const std::string fewest = core::thousands(least->second) + " (" + core::printable(least->first) + ")";
  std::string text;
  if (is_uneven(items))
    text =
        ", from " + fewest + " to " + core::thousands(most->second) + " (" + core::printable(most->first) + ") a class";
  if (least->second < kFew)
    text += (text.empty() ? ", " + fewest + " in the smallest" : "") + ": a class of fewer than " +
            std::to_string(kFew) + " can be neither learned nor judged well";
  return text;
}

// The pictures to learn from, and how many each class has.
struct Found {
  std::vector<fs::path> files;
  ClassSizes by_class;
};

Found in_folders(const data::Card& card) {
  Found found;
  for (const auto& part : card.splits.at("train")) {
    const fs::path place = card.root / part.path;
    const auto listed = data::list_files(place, data::kPictureEndings).files;
    found.files.insert(found.files.end(), listed.begin(), listed.end());
    for (const std::string& name : card.classes)
      if (fs::is_directory(place / name)) found.by_class[name];  // may hold none
    for (const fs::path& file : listed)
      if (const auto at = found.by_class.find(file.lexically_relative(place).begin()->string());
          at != found.by_class.end())
        ++at->second;
  }
  return found;
}

Found in_table(data::Card card) {
  card.test_fraction = 0;  // all of it
  const auto train = data::open_split(card, "train", {.verify = data::Verify::No});
  Found found;
  const std::vector<int64_t> counts = data::items_per_class(*train);
  for (size_t c = 0; c < counts.size(); ++c) found.by_class[card.classes[c]] = counts[c];
  for (const std::string& file : data::csv_pictures(card, "train")) found.files.emplace_back(file);
  return found;
}

OwnData pictures_in(const fs::path& place, int most_side) {
  data::Card card = data::folder_card(place, {3, 32, 32}, DatasetOptions().test_fraction, 1);
  data::find_classes(card);
  const bool table = data::is_table(place);
  const Found found = table ? in_table(card) : in_folders(card);
  const auto begin = std::chrono::steady_clock::now();
  const Sizes sizes = sizes_of(found.files);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const data::ItemShape shape = shape_for(sizes, most_side);
  const auto classes = std::ssize(card.classes);
  return {.kind = OwnData::Pictures,
          .place = table ? card.file : card.root,
          .shape = shape,
          .classes = classes,
          .items = std::ssize(found.files),
          .uneven = is_uneven(found.by_class),
          .reading_seconds = seconds * std::ssize(found.files) / std::ssize(some_of(found.files)),
          .found = counted(std::ssize(found.files), "pictures to learn from, ") + range_text(sizes) +
                   enlarged_text(sizes, shape) + (sizes.grey ? ", grey, " : ", in colour, ") +
                   counted(classes, "classes") + sizes_text(found.by_class),
          .card = ""};
}

// What a card of sounds has to say.
struct SoundFacts {
  std::map<std::string, std::string> parts;  // split -> folder
  std::vector<std::string> classes;
  int rate = 0, clip_ms = 0;
  double mean = 0, std = 1;  // of the features
};

std::string card_text(const std::string& name, const fs::path& root, const SoundFacts& f) {
  std::vector<std::string> classes;
  for (const std::string& c : f.classes) classes.push_back(core::json_quote(c));
  std::string text =
      "# What the sounds are; datasets/README.md has every key. Written by `condenser init`.\n"
      "condenser_card: 1\nname: " +
      core::json_quote(name) +
      "\nabout: sounds of one's own\nsource: own\nlicense: unknown\nformat: wav_folder\nroot: " +
      core::json_quote(root.string()) + "\nsample_rate: " + std::to_string(f.rate) +
      "         # Hz, of every file\nclip_ms: " + std::to_string(f.clip_ms) +
      "              # shorter clips are followed by silence, longer ones are cut\n"
      "classes: [" +
      core::join(classes) + "]\nmean: [" + core::fixed(f.mean, 3) +
      "]              # of the features; `condenser data check` measures them again\nstd: [" + core::fixed(f.std, 3) +
      "]\nsplits:\n";
  for (const auto& [split, part] : f.parts) text += "  " + split + ":\n    - {path: " + core::json_quote(part) + "}\n";
  return text;
}

// Parts with folders of their own, or all in one: then speakers are divided.
std::map<std::string, std::string> sound_parts(const fs::path& root, const std::vector<std::string>& folders) {
  std::map<std::string, std::string> parts;
  for (const std::string& name : folders)
    if (const std::string split = data::split_called(name); !split.empty()) parts[split] = name;
  if (!parts.contains("train")) return {{"train", "."}, {"validation", "."}, {"test", "."}};
  if (!parts.contains("test"))
    throw core::Error(root.string() + ": sounds in train/, but no test/; expected both, or <class>/ folders alone");
  return parts;
}

// The usual rate of the files, and the length that most of them fit into.
void measure(const std::vector<fs::path>& files, SoundFacts& f) {
  std::map<int, int> rates;
  std::vector<int> lengths;
  for (const fs::path& file : some_of(files)) {
    const data::Sound sound = data::parse_wav(core::read_file(file), file.string());
    ++rates[sound.rate];
    lengths.push_back(static_cast<int>(1000.0 * static_cast<double>(sound.samples.size()) / sound.rate));
  }
  for (const auto& [rate, count] : rates)
    if (f.rate == 0 || count > rates.at(f.rate)) f.rate = rate;
  std::sort(lengths.begin(), lengths.end());
  f.clip_ms = std::clamp((lengths[lengths.size() * 9 / 10] + 99) / 100 * 100, 100, 10'000);
}

// Of features as they are computed from the sounds of the training part, of some of them.
void measure_features(const fs::path& root, SoundFacts& f, OwnData& out) {
  data::Card card;
  card.file = card.root = root;
  card.name = root.filename().string();
  card.format = "wav_folder";
  card.classes = f.classes;
  card.audio.sample_rate = f.rate;
  card.audio.clip_ms = f.clip_ms;
  card.shape = out.shape = data::FrontEnd(card.audio).shape();
  card.normalization = {{0.0}, {1.0}};
  for (const auto& [split, part] : f.parts) card.splits[split] = {{part, ""}};
  const auto train = data::open_split(card, "train", {.verify = data::Verify::No});
  out.items = train->size();
  std::vector<float> features(static_cast<size_t>(card.shape.elements()));
  const int64_t count = std::min<int64_t>(out.items, kLookedAt);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; ++i) {
    train->get(i * out.items / count, features);
    for (const float x : features) {
      sum += x;
      squares += static_cast<double>(x) * x;
    }
  }
  const double n = static_cast<double>(count) * static_cast<double>(features.size());
  f.mean = sum / n;
  f.std = std::sqrt(std::max(squares / n - f.mean * f.mean, 1e-6));
}

bool has_noise(const fs::path& training, const std::vector<std::string>& classes) {
  return fs::is_directory(training / data::kNoiseFolder) ||
         std::find(classes.begin(), classes.end(), "_silence_") != classes.end();
}

OwnData sounds_in(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path root = whole.has_filename() ? whole : whole.parent_path();
  SoundFacts f;
  f.parts = sound_parts(root, data::list_folders(root, data::kSoundEndings).names);
  const fs::path training = root / f.parts.at("train");
  for (const std::string& name : data::list_folders(training, data::kSoundEndings).names)
    if (name != data::kNoiseFolder) f.classes.push_back(name);
  if (f.classes.size() < 2)
    throw core::Error(training.string() + ": " + std::to_string(f.classes.size()) +
                      " folders with sounds; expected one for each class, two or more");
  std::vector<fs::path> files;
  ClassSizes by_class;
  for (const std::string& name : f.classes) {
    const auto listed = data::list_files(training / name, data::kSoundEndings).files;
    by_class[name] = std::ssize(listed);
    files.insert(files.end(), listed.begin(), listed.end());
  }
  measure(files, f);
  OwnData out{.kind = OwnData::Sounds,
              .place = root,
              .shape = {},
              .classes = std::ssize(f.classes),
              .items = 0,
              .found = "",
              .card = ""};
  measure_features(root, f, out);
  out.noise = has_noise(training, f.classes);
  out.uneven = is_uneven(by_class);
  out.found = counted(out.items, "sounds to learn from, ") + std::to_string(f.rate) + " Hz, " +
              std::to_string(f.clip_ms) + " ms, " + counted(out.classes, "classes") + sizes_text(by_class);
  out.card = card_text(root.filename().string(), root, f);
  return out;
}

// A table in a folder that is no folder of classes says what its pictures are.
std::string table_hint(const fs::path& folder) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed))
    if (data::is_table(entry.path())) return "; did you mean the table " + entry.path().string() + "?";
  return "";
}

OwnData in_folder(const fs::path& folder, int side) {
  const bool pictures = !data::list_files(folder, data::kPictureEndings).files.empty();
  const bool sounds = !data::list_files(folder, data::kSoundEndings).files.empty();
  if (pictures && sounds)
    throw core::ConfigError(folder.string() + ": holds pictures and sounds; expected one kind: move the other away");
  if (sounds) return sounds_in(folder);
  if (pictures) return pictures_in(folder, side);
  throw core::ConfigError(folder.string() +
                          ": no pictures (JPEG, PNG) and no sounds (WAV) in it; expected them in <class>/ folders");
}

}  // namespace

OwnData look_at(const fs::path& folder, int side) {
  std::error_code failed;
  if (data::is_table(folder)) return pictures_in(folder, side);
  if (!fs::is_directory(folder, failed))
    throw core::ConfigError(folder.string() + (fs::exists(folder, failed) ? ": is no folder" : ": no such folder") +
                            "; expected one with pictures or sounds in <class>/, a table (.csv) of paths and labels, "
                            "or a card.yaml");
  try {
    return in_folder(folder, side);
  } catch (const core::Error& e) {
    throw core::ConfigError(e.what() + table_hint(folder));
  }
}

OwnData look_at_card(const fs::path& file) {
  data::Card card = data::read_card(file);
  const bool features = card.format == "features_int8";
  OwnData data{.kind = features         ? OwnData::Features
                       : is_audio(card) ? OwnData::Sounds
                                        : OwnData::Pictures,
               .place = card.file,
               .shape = card.shape,
               .classes = std::ssize(card.classes),
               .items = 0,
               .found = "",
               .card = ""};
  if (const auto train = card.splits.find("train"); train != card.splits.end())
    data.noise = has_noise(card.root / train->second.front().path, card.classes);
  try {
    const auto train = data::open_split(card, "train", {.verify = data::Verify::No});
    data.items = train->size();
    data.classes = std::ssize(train->classes());
  } catch (const core::Error&) {
    // Not at hand: reading the run file says so, or the first stage that needs them.
  }
  const data::ItemShape& s = card.shape;
  data.found = card.name + ", " + (data.items ? counted(data.items, "items of ") : "data not at hand, items of ") +
               std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w) + ", " +
               counted(data.classes, "classes");
  return data;
}

}  // namespace condenser::cli
