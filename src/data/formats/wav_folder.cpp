// A folder per word with WAV files: <word>/*.wav, folders inside of it included; recordings of noise in
// _background_noise_. A split with a folder of its own has all clips in it. Splits that share one folder divide it as
// Speech Commands does (P. Warden, arXiv 1804.03209): the files validation_list.txt and testing_list.txt say what
// belongs to validation and test, the rest is for training, speakers in two parts or not; without them a tenth of the
// speakers each, from names <speaker>_nohash_<n>.wav, goes to validation and test.
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
#include "condenser/core/rng.hpp"
#include "condenser/core/text.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/listing.hpp"
#include "data/formats/wav.hpp"
#include "data/formats/wav_clips.hpp"
#include "data/names.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr char kSilence[] = "_silence_", kUnknown[] = "_unknown_";
constexpr char kValidationList[] = "validation_list.txt", kTestList[] = "testing_list.txt";
constexpr uint64_t kUnknownStream = 0x756e6b6e6f776e;  // "unknown"
constexpr uint64_t kSilenceStream = 0x73696c656e6365;  // "silence"

bool is_special(const std::string& name) { return name == kSilence || name == kUnknown; }

constexpr std::string_view kLists[] = {kValidationList, kTestList};

// "word/file.wav", sorted; what lies there besides is added to `unused`.
std::vector<std::string> clips_of(const fs::path& folder, const std::string& word, UnusedFiles& unused) {
  std::vector<std::string> clips;
  const Listing listing = list_files(folder / word, kSoundEndings);
  for (const fs::path& file : listing.files) clips.push_back(file.lexically_relative(folder).generic_string());
  unused.add(listing.unused);
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
    if (clips.empty() && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // a byte-order mark
    const size_t end = line.find_last_not_of(" \t\r");
    line.erase(end == std::string::npos ? 0 : end + 1);
    std::ranges::replace(line, '\\', '/');
    if (line.starts_with("./")) line.erase(0, 2);
    if (!line.empty()) clips.insert(line);
  }
  return clips;
}

// Which split a clip belongs to.
class Splits {
 public:
  // `only`: the split that has the folder for itself; "": it is shared.
  Splits(const fs::path& folder, std::string only) : folder_(folder), only_(std::move(only)) {
    if (!only_.empty()) return;
    by_list_ = fs::exists(folder / kValidationList) || fs::exists(folder / kTestList);
    if (fs::exists(folder / kValidationList)) validation_ = read_list(folder / kValidationList);
    if (fs::exists(folder / kTestList)) test_ = read_list(folder / kTestList);
    for (const std::string& clip : test_) {
      if (validation_.contains(clip))
        throw core::Error(where(kTestList) + clip + " stands in " + kValidationList + " too");
    }
  }

  std::string of(const std::string& clip) const {
    if (!only_.empty()) return only_;
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

  // Lines about words that have no folder here: a subset may come with the lists of the whole.
  int64_t lines_about_others(const std::vector<std::string>& words) const {
    int64_t count = 0;
    for (const auto* list : {&validation_, &test_})
      for (const std::string& clip : *list)
        count += std::ranges::binary_search(words, clip.substr(0, clip.find('/'))) ? 0 : 1;
    return count;
  }

  // A voice heard in training says nothing about new ones; but lists decide.
  void note_speaker(const std::string& clip) {
    const std::string speaker = speaker_of(clip);
    if (speaker.empty()) return;
    const std::string split = of(clip);
    const auto [known, added] = speakers_.try_emplace(speaker, split, clip);
    if (added || known->second.first == split) return;
    divided_.try_emplace(speaker, "speaker " + speaker + ": " + known->second.second + " is in " + known->second.first +
                                      ", " + clip + " in " + split);
  }

  // Speakers in two splits, by name, with a clip in each.
  const std::map<std::string, std::string>& divided() const { return divided_; }

 private:
  std::string where(const char* list) const { return (folder_ / list).string() + ": "; }

  fs::path folder_;
  std::string only_;
  bool by_list_ = false;
  std::set<std::string> validation_, test_;
  std::map<std::string, std::pair<std::string, std::string>> speakers_;  // split and a clip of each
  std::map<std::string, std::string> divided_;
};

// What is said of a split's clips: names of those that it holds for, and the sentence.
class Remark {
 public:
  Remark(bool problem, const char* kind, const char* text) : text_(text) {
    finding_.problem = problem;
    finding_.kind = kind;
  }
  void add(const std::string& item) { finding_.items.push_back(item); }
  int64_t count() const { return std::ssize(finding_.items); }
  const std::vector<std::string>& items() const { return finding_.items; }
  const std::string& first() const { return finding_.items.front(); }
  void tell(const fs::path& folder, const std::string& split, const OpenOptions& options,
            const std::string& more = "") {
    if (finding_.items.empty()) return;
    finding_.split = split;
    finding_.count = count();
    finding_.text = folder.string() + ": " + std::to_string(count()) + " " + text_ + more;
    data::tell(finding_, options);
  }

 private:
  const char* text_;
  Finding finding_;
};

constexpr size_t kMostSoundBytes = size_t{1} << 30;

Sound read_sound(const fs::path& file, const Card& card) {
  Sound sound = parse_wav(core::read_file(file, kMostSoundBytes), file.string());
  if (sound.rate != card.audio.sample_rate) {
    throw core::Error(file.string() + ": " + std::to_string(sound.rate) + " samples a second; expected " +
                      std::to_string(card.audio.sample_rate) + " as in " + card.file.string() +
                      "; convert it, for example: sox in.wav -r " + std::to_string(card.audio.sample_rate) +
                      " out.wav");
  }
  return sound;
}

// The part of a recording of noise, as shares of its length, that a split may use: none hears another's noise.
std::pair<double, double> part_of(const std::string& split) {
  return split == "train" ? std::pair{0.0, 0.8} : split == "validation" ? std::pair{0.8, 0.9} : std::pair{0.9, 1.0};
}

std::vector<std::vector<float>> read_noises(const fs::path& folder, const std::string& split, const Card& card,
                                            UnusedFiles& unused) {
  std::vector<std::vector<float>> noises;
  if (!fs::exists(folder / kNoiseFolder)) return noises;
  const auto [from, to] = part_of(split);
  for (const std::string& clip : clips_of(folder, kNoiseFolder, unused)) {
    const std::vector<float> sound = read_sound(folder / clip, card).samples;
    const auto length = static_cast<double>(sound.size());
    std::vector<float> part(sound.begin() + static_cast<int64_t>(from * length),
                            sound.begin() + static_cast<int64_t>(to * length));
    if (!part.empty()) noises.push_back(std::move(part));
  }
  if (noises.empty()) throw core::Error((folder / kNoiseFolder).string() + ": no .wav file with sound in it");
  return noises;
}

// Whether a split divides its folder with others: another one names it too, or lists lie in it.
bool is_shared(const Card& card, const std::string& split) {
  const auto place = [&](const std::string& path) { return fs::weakly_canonical(card.root / path / "."); };
  const fs::path own = place(card.splits.at(split).at(0).path);
  if (fs::exists(own / kValidationList) || fs::exists(own / kTestList)) return true;
  return std::ranges::any_of(card.splits, [&](const auto& other) {
    return other.first != split && !other.second.empty() && place(other.second[0].path) == own;
  });
}

// Reads one split of one folder.
class SplitReader {
 public:
  SplitReader(const Card& card, std::string split, fs::path folder, const OpenOptions& options)
      : card_(card),
        options_(options),
        split_(std::move(split)),
        folder_(std::move(folder)),
        splits_(folder_, is_shared(card, split_) ? "" : split_),
        length_(FrontEnd(card.audio).samples()) {
    Folders folders = list_folders(folder_, kSoundEndings, kLists);
    words_ = std::move(folders.names);
    std::erase(words_, kNoiseFolder);
    unused_ = std::move(folders.unused);
    clips_.waves = Waves(length_);
  }

  Clips read() {
    for (const std::string& word : words_) {  // of classes or not: all speakers count
      const std::vector<std::string> clips = clips_of(folder_, word, unused_);
      splits_.check_listed(word, clips);
      for (const std::string& clip : clips) {
        splits_.note_speaker(clip);
        if (splits_.of(clip) == split_) of_split_[word].push_back(clip);
      }
    }
    noises_ = read_noises(folder_, split_, card_, unused_);
    int64_t known = 0;
    for (const std::string& name : card_.classes) known += is_special(name) ? 0 : std::ssize(of_split_[name]);
    for (size_t label = 0; label < card_.classes.size(); ++label) add_class(static_cast<int>(label), known);
    report();
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
    } else if (split_ == "train" || !card_.splits.contains("train")) {  // another part may lack a class
      const std::string near = core::config::nearest(name, words_);
      throw core::Error((folder_ / name).string() + ": no such folder; expected one for every class of " +
                        card_.file.string() + (near.empty() ? "" : "; did you mean " + near + "?"));
    }
  }

  static int64_t share(double of, int64_t known) {
    return std::max<int64_t>(1, std::llround(of * static_cast<double>(known)));
  }

  void add_file(const std::string& clip, int label) {
    Sound sound;
    try {
      sound = read_sound(folder_ / clip, card_);
    } catch (const core::Error&) {
      if (options_.on_damaged == OnDamaged::Stop) throw;
      damaged_.add(clip);
      return;
    }
    note(sound, clip);
    add(sound.samples, label, (folder_ / clip).string());
  }

  void note(const Sound& sound, const std::string& clip) {
    const int64_t samples = std::ssize(sound.samples);
    if (samples > length_) cut_.add(clip);
    if (2 * samples < length_) short_.add(clip);
    if (sound.cancelled) cancelled_.add(clip);
    if (sound.wrong_byte_rate) header_.add(clip);
    if (sound.unwritten_size) streams_.add(clip);
    note_level(sound.samples, clip);
  }

  void report() {
    const std::string clip_ms = "clip_ms = " + std::to_string(card_.audio.clip_ms);
    const auto say = [&](Remark& remark, const std::string& more) { remark.tell(folder_, split_, options_, more); };
    say(cut_, " than " + clip_ms + " and were cut");
    if (2 * short_.count() > std::ssize(clips_.labels))
      say(short_, " of " + std::to_string(clips_.labels.size()) + " are shorter than half of " + clip_ms +
                      "; silence follows them");
    say(loud_, "; the loudest is " + loudest_ + " with a peak of " + core::number(peak_) +
                   " times full scale; bring them to -1..1, or use level: peak");
    if (cancelled_.count() > 0) say(cancelled_, " (" + cancelled_.first() + "); keep one of the two");
    if (header_.count() > 0) say(header_, " (" + header_.first() + ")");
    if (streams_.count() > 0) say(streams_, " (" + streams_.first() + ")");
    report_speakers();
    report_lists();
    report_damaged();
    tell_unused(folder_, unused_, options_);
  }

  // All splits are looked at for it: said once.
  void report_speakers() {
    if (split_ != "train" && card_.splits.contains("train")) return;
    Remark divided(false, "speaker_in_two_splits", "speakers are in two parts, as the lists say");
    for (const auto& [speaker, where] : splits_.divided()) divided.add(where);
    if (divided.count() > 0)
      divided.tell(folder_, "", options_,
                   " (" + divided.first() + "); a result may be that of voices heard in training");
  }

  void report_lists() const {
    Finding finding;
    finding.kind = "list_without_folder";
    finding.split = split_;
    finding.count = splits_.lines_about_others(words_);
    finding.text = folder_.string() + ": " + std::to_string(finding.count) +
                   " lines of the lists name words that have no folder here; they are not used";
    if (finding.count > 0) tell(finding, options_);
  }

  void report_damaged() {
    damaged_.tell(folder_, split_, options_,
                  " in split " + split_ + " (" + some_of(damaged_.items(), 3) +
                      "); they are left out (dataset.on_damaged: skip)");
  }

  void note_level(const std::vector<float>& sound, const std::string& clip) {
    if (card_.audio.features.level != "full_scale") return;
    float largest = 0;
    for (const float x : sound) largest = std::max(largest, std::abs(x));
    const double peak = largest / 32768.0;
    if (peak <= 1) return;
    loud_.add(clip);
    if (peak <= peak_) return;
    peak_ = peak;
    loudest_ = clip;
  }

  void add(std::span<const float> sound, int label, const std::string& name) {
    clips_.waves.append(sound);
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
    std::vector<std::span<const float>> long_enough;
    for (const auto& noise : noises_) {
      if (std::ssize(noise) >= length_) long_enough.emplace_back(noise);
    }
    if (long_enough.empty()) {
      throw core::Error((folder_ / kNoiseFolder).string() + ": nothing to cut class _silence_ from in split " + split_ +
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
  std::vector<std::vector<float>> silence() const {
    std::vector<std::vector<float>> pieces;
    for (size_t i = 0; i < clips_.labels.size(); ++i) {
      if (card_.classes[clips_.labels[i]] != kSilence) continue;
      pieces.emplace_back(static_cast<size_t>(length_));
      clips_.waves.copy(static_cast<int64_t>(i), pieces.back());
    }
    return pieces;
  }

  const Card& card_;
  const OpenOptions& options_;
  const std::string split_;
  const fs::path folder_;
  Splits splits_;
  std::vector<std::string> words_;
  const int64_t length_;
  UnusedFiles unused_;
  std::map<std::string, std::vector<std::string>> of_split_;  // clips by word
  std::vector<std::vector<float>> noises_;
  Clips clips_;
  Remark cut_{false, "clips_cut", "clips are longer"}, short_{false, "clips_short", "clips"},
      loud_{false, "clips_beyond_full_scale", "clips lie beyond full scale, which level: full_scale does not expect"},
      cancelled_{true, "channels_cancel", "stereo clips whose channels are opposite and leave silence when averaged"},
      header_{false, "wav_byte_rate",
              "clips whose header is wrong about the bytes of a second; that number is not used"},
      streams_{false, "wav_unwritten_size", "clips that do not say how long they are, as streams; read to their end"},
      damaged_{true, "damaged", "unreadable clips"};
  double peak_ = 0;
  std::string loudest_;
};

}  // namespace

std::vector<fs::path> sound_files(const fs::path& folder) {
  std::vector<fs::path> files = list_files(folder, kSoundEndings).files;
  for (const char* list : {kValidationList, kTestList})
    if (fs::is_regular_file(folder / list)) files.push_back(folder / list);
  std::ranges::sort(files, {}, [](const fs::path& file) -> const std::string& { return file.native(); });
  return files;
}

void check_wav_folder(const Card& card, const std::string& split) {
  if (card.splits.at(split).size() != 1) {
    throw core::Error("split " + split + " lists " + std::to_string(card.splits.at(split).size()) +
                      " paths; expected one folder: its own, or one that splits share");
  }
  const ItemShape shape = FrontEnd(card.audio).shape();
  if (card.shape != shape) {
    throw core::Error("shape is " + shape_text(card.shape) + "; its features are " + shape_text(shape) +
                      "; leave shape out, or change features");
  }
}

std::vector<std::string> wav_folder_classes(const Card& card, const std::string& split) {
  const fs::path folder = place_of(card, split);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw core::Error(folder.string() + ": no such folder; its folders are the classes, as " + card.file.string() +
                      " lists none");
  }
  std::vector<std::string> words = list_folders(folder, kSoundEndings).names;
  std::erase(words, kNoiseFolder);
  if (words.empty()) throw core::Error(folder.string() + ": no folder in it; expected one folder per class");
  return words;
}

bool has_list(const fs::path& folder, const std::string& split) {
  std::error_code ignored;
  return fs::is_regular_file(folder / (split == "test" ? kTestList : kValidationList), ignored);
}

int sound_rate(const fs::path& folder) {
  for (const fs::path& file : list_files(folder, kSoundEndings).files) {
    try {
      return parse_wav(core::read_file(file, kMostSoundBytes), file.string()).rate;
    } catch (const core::Error&) {  // said when the split is opened
    }
  }
  return 0;
}

std::shared_ptr<const Dataset> open_wav_folder(const Card& card, const std::string& split,
                                               const std::vector<fs::path>& files, const OpenOptions& options) {
  return make_clip_dataset(card.audio, card.classes, card.normalization,
                           SplitReader(card, split, files[0], options).read());
}

std::vector<float> load_sound(const Card& card, const fs::path& file) {
  Clips clip{Waves(FrontEnd(card.audio).samples()), {0}, {file.string()}, {}};
  clip.waves.append(read_sound(file, card).samples);
  std::vector<float> values(static_cast<size_t>(card.shape.elements()));
  make_clip_dataset(card.audio, {""}, card.normalization, std::move(clip))->get(0, values);
  return values;
}

}  // namespace condenser::data
