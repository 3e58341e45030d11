#include "condenser/data/sound_stream.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/data/keywords.hpp"

namespace condenser::data {
namespace {

constexpr const char* kSilence = "_silence_";
constexpr double kQuietest = 0.3;               // of the noise, beside what it was recorded with
constexpr int64_t kFade = 160;                  // samples in which one piece of noise goes over into the next
constexpr int64_t kLongest = int64_t{1} << 31;  // samples of a stream

// Clips one after the other, each at a volume of its own, until there are enough samples.
std::vector<float> noise(const Dataset& data, const std::vector<int64_t>& items, int64_t samples, core::Rng& rng) {
  std::vector<float> stream(static_cast<size_t>(samples), 0.0f);
  for (int64_t at = 0; at < samples && !items.empty();) {
    const std::vector<float> clip = data.clip(items[rng.below(items.size())]);
    const double volume = rng.uniform(kQuietest, 1.0);
    const auto length = std::ssize(clip), fade = std::min(kFade, length / 2);
    for (int64_t i = 0; i < length && at + i < samples; ++i) {
      const int64_t edge = std::min({i + 1, length - i, fade});
      stream[static_cast<size_t>(at + i)] +=
          static_cast<float>(volume * static_cast<double>(edge) / static_cast<double>(fade)) *
          clip[static_cast<size_t>(i)];
    }
    at += std::max<int64_t>(1, length - fade);
  }
  return stream;
}

}  // namespace

SoundStream stream_of_clips(const Dataset& data, const StreamOptions& options) {
  core::Rng rng(options.seed, 0x57EA);
  std::vector<int64_t> silent, spoken;
  for (int64_t i = 0; i < data.size(); ++i) {
    const bool silence = data.label(i) >= 0 && data.classes()[static_cast<size_t>(data.label(i))] == kSilence;
    (silence ? silent : spoken).push_back(i);
  }
  rng.shuffle(std::span(spoken));
  const auto gap = [&] {
    return options.shortest_gap +
           static_cast<int64_t>(rng.below(static_cast<uint64_t>(options.longest_gap - options.shortest_gap) + 1));
  };
  SoundStream stream;
  int64_t end = options.longest_gap;
  std::vector<std::vector<float>> clips;
  for (const int64_t item : spoken) {
    clips.push_back(data.clip(item));
    if (clips.back().empty())
      throw core::Error(data.name(item) + ": no samples of sound; expected a data set of sounds (WAV)");
    stream.words.push_back({end, end + std::ssize(clips.back()), data.label(item), item});
    end = stream.words.back().end + gap();
    if (end > kLongest) throw core::Error("stream of clips: more than 2^31 samples; expected fewer or shorter clips");
  }
  std::vector<float> sound = noise(data, silent, end + options.longest_gap, rng);
  for (size_t w = 0; w < clips.size(); ++w)
    for (size_t i = 0; i < clips[w].size(); ++i) sound[static_cast<size_t>(stream.words[w].begin) + i] += clips[w][i];
  for (const float x : sound)
    stream.samples.push_back(static_cast<int16_t>(std::clamp(std::round(x), -32768.0f, 32767.0f)));
  return stream;
}

StreamScore score_of(std::span<const Word> words, const std::vector<std::string>& classes, std::span<const Heard> heard,
                     int64_t late) {
  StreamScore score;
  std::vector<const Word*> waiting;
  for (const Word& word : words)
    if (word.label >= 0 && is_keyword(classes[static_cast<size_t>(word.label)])) waiting.push_back(&word);
  score.words = std::ssize(waiting);
  for (const Heard& h : heard) {
    const auto hit = std::ranges::find_if(
        waiting, [&](const Word* w) { return w->label == h.label && w->begin <= h.at && h.at <= w->end + late; });
    if (hit == waiting.end()) {
      ++score.false_alarms;
      continue;
    }
    ++score.hits;
    score.delays.push_back(h.at - (*hit)->begin);
    waiting.erase(hit);
  }
  return score;
}

}  // namespace condenser::data
