// Folders of words as Speech Commands has them (P. Warden, arXiv 1804.03209): <word>/<speaker>_nohash_<n>.wav, the
// files validation_list.txt and testing_list.txt, recordings of noise in _background_noise_. Every split names the same
// folder; the lists say what belongs to validation and test, the rest is for training.
//
// Two class names have a meaning. `_unknown_`: a folder of that name, or else clips of the words that are no class.
// `_silence_`: a folder of that name, or else pieces of the recordings of noise. What is drawn is the same every time.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/rng.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/wav.hpp"
#include "data/formats/wav_clips.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr char kNoise[] = "_background_noise_", kSilence[] = "_silence_", kUnknown[] = "_unknown_";
constexpr char kValidationList[] = "validation_list.txt", kTestList[] = "testing_list.txt";
constexpr uint64_t kUnknownStream = 0x756e6b6e6f776e;  // "unknown"
constexpr uint64_t kSilenceStream = 0x73696c656e6365;  // "silence"

bool is_special(const std::string& name) { return name == kSilence || name == kUnknown; }

std::vector<std::string> words(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.') && name != kNoise) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// "word/file.wav", sorted.
std::vector<std::string> clips_of(const fs::path& folder, const std::string& word) {
  std::vector<std::string> clips;
  for (const auto& entry : fs::directory_iterator(folder / word)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name.ends_with(".wav")) clips.push_back(word + "/" + name);
  }
  std::ranges::sort(clips);
  return clips;
}

// Who speaks: what stands between the last '_' and "_nohash_" (a word may come first); "" when unknown.
std::string speaker_of(const std::string& clip) {
  const std::string name = fs::path(clip).filename().string();
  const size_t end = name.find("_nohash_");
  if (end == std::string::npos) return "";
  const std::string before = name.substr(0, end);
  return before.substr(before.rfind('_') + 1);
}

std::set<std::string> read_list(const fs::path& file) {
  std::set<std::string> clips;
  std::istringstream lines(core::read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) clips.insert(line);
  }
  return clips;
}

// Which split a clip belongs to. Without lists a tenth of the speakers each goes to validation and test.
class Splits {
 public:
  explicit Splits(const fs::path& folder) : folder_(folder) {
    by_list_ = fs::exists(folder / kValidationList) || fs::exists(folder / kTestList);
    if (fs::exists(folder / kValidationList)) validation_ = read_list(folder / kValidationList);
    if (fs::exists(folder / kTestList)) test_ = read_list(folder / kTestList);
    for (const std::string& clip : test_) {
      if (validation_.contains(clip))
        throw core::Error(where(kTestList) + clip + " stands in " + kValidationList + " too");
    }
  }

  std::string of(const std::string& clip) const {
    if (by_list_) return validation_.contains(clip) ? "validation" : test_.contains(clip) ? "test" : "train";
    const std::string speaker = speaker_of(clip);
    const int tenth = core::hash128(speaker.empty() ? clip : speaker).bytes[0] * 10 / 256;
    return tenth == 0 ? "validation" : tenth == 1 ? "test" : "train";
  }

  // Every clip in a list must be there; `clips` are all of some words.
  void check_listed(const std::string& word, const std::vector<std::string>& clips) const {
    for (const auto& [name, list] : {std::pair{kValidationList, &validation_}, {kTestList, &test_}}) {
      for (auto it = list->lower_bound(word + "/"); it != list->end() && it->starts_with(word + "/"); ++it) {
        if (std::ranges::binary_search(clips, *it)) continue;
        throw core::Error(where(name) + *it + " is listed; no such file");
      }
    }
  }

  // A voice heard in training says nothing about new ones.
  void check_speaker(const std::string& clip) {
    const std::string speaker = speaker_of(clip);
    if (speaker.empty()) return;
    const std::string split = of(clip);
    const auto [known, added] = speakers_.try_emplace(speaker, split, clip);
    if (added || known->second.first == split) return;
    throw core::Error((folder_ / clip).string() + ": speaker " + speaker + " is in " + split + ", but in " +
                      known->second.first + " with " + known->second.second +
                      "; expected every speaker in one split; correct the lists");
  }

 private:
  std::string where(const char* list) const { return (folder_ / list).string() + ": "; }

  fs::path folder_;
  bool by_list_ = false;
  std::set<std::string> validation_, test_;
  std::map<std::string, std::pair<std::string, std::string>> speakers_;  // split and a clip of each
};

std::vector<int16_t> read_sound(const fs::path& file, const Card& card) {
  Sound sound = parse_wav(core::read_file(file), file.string());
  if (sound.rate != card.audio.sample_rate) {
    throw core::Error(file.string() + ": " + std::to_string(sound.rate) + " samples a second; expected " +
                      std::to_string(card.audio.sample_rate) + " as in " + card.file.string() +
                      "; convert it, for example: sox in.wav -r " + std::to_string(card.audio.sample_rate) +
                      " out.wav");
  }
  return std::move(sound.samples);
}

// The part of a recording of noise, as shares of its length, that a split may use: none hears another's noise.
std::pair<double, double> part_of(const std::string& split) {
  return split == "train" ? std::pair{0.0, 0.8} : split == "validation" ? std::pair{0.8, 0.9} : std::pair{0.9, 1.0};
}

std::vector<std::vector<int16_t>> read_noises(const fs::path& folder, const std::string& split, const Card& card) {
  std::vector<std::vector<int16_t>> noises;
  if (!fs::exists(folder / kNoise)) return noises;
  const auto [from, to] = part_of(split);
  for (const std::string& clip : clips_of(folder, kNoise)) {
    const std::vector<int16_t> sound = read_sound(folder / clip, card);
    const auto length = static_cast<double>(sound.size());
    std::vector<int16_t> part(sound.begin() + static_cast<int64_t>(from * length),
                              sound.begin() + static_cast<int64_t>(to * length));
    if (!part.empty()) noises.push_back(std::move(part));
  }
  if (noises.empty()) throw core::Error((folder / kNoise).string() + ": no .wav file with sound in it");
  return noises;
}

// Reads one split of one folder.
class SplitReader {
 public:
  SplitReader(const Card& card, std::string split, fs::path folder, OnDamaged on_damaged)
      : card_(card),
        on_damaged_(on_damaged),
        split_(std::move(split)),
        folder_(std::move(folder)),
        splits_(folder_),
        words_(words(folder_)),
        length_(FrontEnd(card.audio).samples()) {}

  Clips read() {
    for (const std::string& word : words_) {  // of classes or not: all speakers count
      const std::vector<std::string> clips = clips_of(folder_, word);
      splits_.check_listed(word, clips);
      for (const std::string& clip : clips) {
        splits_.check_speaker(clip);
        if (splits_.of(clip) == split_) of_split_[word].push_back(clip);
      }
    }
    noises_ = read_noises(folder_, split_, card_);
    int64_t known = 0;
    for (const std::string& name : card_.classes) known += is_special(name) ? 0 : std::ssize(of_split_[name]);
    for (size_t label = 0; label < card_.classes.size(); ++label) add_class(static_cast<int>(label), known);
    if (cut_ > 0) {
      core::log::warning(folder_.string() + ": " + std::to_string(cut_) +
                         " clips are longer than clip_ms = " + std::to_string(card_.audio.clip_ms) + " and were cut");
    }
    if (!damaged_.empty()) report_damaged();
    if (split_ == "train") clips_.noises = noises_.empty() ? silence() : std::move(noises_);
    return std::move(clips_);
  }

 private:
  bool has_folder(const std::string& word) const { return std::ranges::binary_search(words_, word); }

  void add_class(int label, int64_t known) {
    const std::string& name = card_.classes[label];
    if (has_folder(name)) {
      for (const std::string& clip : of_split_[name]) add_file(clip, label);
    } else if (name == kUnknown) {
      add_unknown(label, share(card_.unknown_share, known));
    } else if (name == kSilence) {
      add_silence(label, share(card_.silence_share, known));
    } else {
      const std::string near = core::config::nearest(name, words_);
      throw core::Error((folder_ / name).string() + ": no such folder; expected one for every class of " +
                        card_.file.string() + (near.empty() ? "" : "; did you mean " + near + "?"));
    }
  }

  static int64_t share(double of, int64_t known) {
    return std::max<int64_t>(1, std::llround(of * static_cast<double>(known)));
  }

  void add_file(const std::string& clip, int label) {
    std::vector<int16_t> sound;
    try {
      sound = read_sound(folder_ / clip, card_);
    } catch (const core::Error&) {
      if (on_damaged_ == OnDamaged::Stop) throw;
      damaged_.push_back(clip);
      return;
    }
    cut_ += std::ssize(sound) > length_ ? 1 : 0;
    add(sound, label, (folder_ / clip).string());
  }

  void report_damaged() const {
    constexpr size_t kNamed = 3;
    std::string names;
    for (size_t i = 0; i < std::min(kNamed, damaged_.size()); ++i) names += (i > 0 ? ", " : "") + damaged_[i];
    if (damaged_.size() > kNamed) names += ", ...";
    core::log::warning(folder_.string() + ": " + std::to_string(damaged_.size()) + " unreadable clips in split " +
                       split_ + " (" + names + "); they are left out (dataset.on_damaged: skip)");
  }

  void add(std::span<const int16_t> sound, int label, const std::string& name) {
    const size_t begin = clips_.samples.size();
    const auto kept = std::min<int64_t>(length_, std::ssize(sound));
    clips_.samples.resize(begin + static_cast<size_t>(length_), 0);
    std::copy_n(sound.begin(), kept, clips_.samples.begin() + static_cast<int64_t>(begin));
    clips_.labels.push_back(label);
    clips_.names.push_back(name);
  }

  void add_unknown(int label, int64_t count) {
    std::vector<std::string> others;
    for (const auto& [word, clips] : of_split_) {
      if (std::ranges::find(card_.classes, word) == card_.classes.end() && !is_special(word)) {
        others.insert(others.end(), clips.begin(), clips.end());
      }
    }
    if (others.empty()) {
      throw core::Error(folder_.string() + ": no clips for class _unknown_ in split " + split_ +
                        "; expected a folder _unknown_ or folders of words that are no class of " +
                        card_.file.string());
    }
    core::Rng(0, kUnknownStream).shuffle(std::span<std::string>(others));
    others.resize(std::min<size_t>(others.size(), static_cast<size_t>(count)));
    std::ranges::sort(others);
    for (const std::string& clip : others) add_file(clip, label);
  }

  void add_silence(int label, int64_t count) {
    std::vector<std::span<const int16_t>> long_enough;
    for (const auto& noise : noises_) {
      if (std::ssize(noise) >= length_) long_enough.emplace_back(noise);
    }
    if (long_enough.empty()) {
      throw core::Error((folder_ / kNoise).string() + ": nothing to cut class _silence_ from in split " + split_ +
                        "; expected a folder _silence_, or recordings of noise 10 times as long as a clip or longer");
    }
    core::Rng rng(0, kSilenceStream);
    for (int64_t k = 0; k < count; ++k) {
      const auto noise = long_enough[static_cast<size_t>(k) % long_enough.size()];
      const uint64_t start = rng.below(noise.size() - static_cast<size_t>(length_) + 1);
      add(noise.subspan(start, static_cast<size_t>(length_)), label, "silence " + std::to_string(k));
    }
  }

  // The clips of class _silence_, for sets that come without recordings of noise.
  std::vector<std::vector<int16_t>> silence() const {
    std::vector<std::vector<int16_t>> pieces;
    for (size_t i = 0; i < clips_.labels.size(); ++i) {
      if (card_.classes[clips_.labels[i]] != kSilence) continue;
      const auto begin = clips_.samples.begin() + static_cast<int64_t>(i) * length_;
      pieces.emplace_back(begin, begin + length_);
    }
    return pieces;
  }

  const Card& card_;
  const OnDamaged on_damaged_;
  const std::string split_;
  const fs::path folder_;
  Splits splits_;
  const std::vector<std::string> words_;
  const int64_t length_;
  std::map<std::string, std::vector<std::string>> of_split_;  // clips by word
  std::vector<std::vector<int16_t>> noises_;
  Clips clips_;
  int64_t cut_ = 0;
  std::vector<std::string> damaged_;  // clips left out
};

}  // namespace

std::vector<fs::path> sound_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = entry.path();
    const std::string name = path.filename().string();
    const bool list = path.parent_path() == folder && (name == kValidationList || name == kTestList);
    if (entry.is_regular_file() && (list || (name.ends_with(".wav") && !name.starts_with('.')))) files.push_back(path);
  }
  std::ranges::sort(files, {}, [](const fs::path& file) -> const std::string& { return file.native(); });
  return files;
}

void check_wav_folder(const Card& card, const std::string& split) {
  if (card.splits.at(split).size() != 1) {
    throw core::Error("split " + split + " lists " + std::to_string(card.splits.at(split).size()) +
                      " paths; expected one folder, the same for every split");
  }
  if (card.classes.empty())
    throw core::Error("classes lists no names; expected the words to tell apart, for wav_folder");
  const ItemShape shape = FrontEnd(card.audio).shape();
  if (card.shape != shape) {
    throw core::Error("shape is " + shape_text(card.shape) + "; its features are " + shape_text(shape) +
                      "; leave shape out, or change features");
  }
}

std::shared_ptr<const Dataset> open_wav_folder(const Card& card, const std::string& split,
                                               const std::vector<fs::path>& files, const OpenOptions& options) {
  return make_clip_dataset(card.audio, card.classes, card.normalization,
                           SplitReader(card, split, files[0], options.on_damaged).read());
}

std::vector<float> load_sound(const Card& card, const fs::path& file) {
  Clips clip{read_sound(file, card), {0}, {file.string()}, {}};
  clip.samples.resize(static_cast<size_t>(FrontEnd(card.audio).samples()), 0);
  std::vector<float> values(static_cast<size_t>(card.shape.elements()));
  make_clip_dataset(card.audio, {""}, card.normalization, std::move(clip))->get(0, values);
  return values;
}

}  // namespace condenser::data
