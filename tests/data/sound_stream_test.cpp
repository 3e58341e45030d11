// A stream of clips, what a detector hears in it, and what that is worth.
#include "condenser/data/sound_stream.hpp"

#include <algorithm>
#include <numeric>

#include "data/stream_detector.h"
#include "support/catch.hpp"

using namespace condenser;
using data::Heard;
using data::Word;

namespace {

// Two clips of each class; sample values name their class.
class Clips final : public data::Dataset {
 public:
  int64_t size() const override { return 6; }
  data::ItemShape shape() const override { return {1, 1, 1}; }
  const std::vector<std::string>& classes() const override { return classes_; }
  const data::Normalization& normalization() const override { return normalization_; }
  int label(int64_t i) const override { return static_cast<int>(i / 2); }
  std::vector<float> clip(int64_t i) const override {
    return std::vector<float>(400, label(i) == 2 ? 1.0f : 1000.0f * static_cast<float>(label(i) + 1));
  }
  void get(int64_t, std::span<float>) const override {}

 private:
  std::vector<std::string> classes_ = {"yes", "_unknown_", "_silence_"};
  data::Normalization normalization_;
};

// What is heard at which answer.
std::vector<std::pair<int, int>> hear(const std::vector<std::vector<float>>& answers, stream_detector d) {
  std::vector<float> history(static_cast<size_t>(d.answers * d.classes), 9.0f);
  d.history = history.data();
  stream_detector_state state;
  stream_detector_restart(&d, &state);
  std::vector<std::pair<int, int>> heard;
  for (size_t i = 0; i < answers.size(); ++i)
    if (const int c = stream_detector_hear(&d, &state, answers[i].data()); c >= 0)
      heard.emplace_back(static_cast<int>(i), c);
  return heard;
}

}  // namespace

TEST_CASE("a stream holds every clip once, where it says, over noise without gaps", "[data]") {
  const Clips clips;
  const data::SoundStream stream = data::stream_of_clips(clips, {.seed = 3, .shortest_gap = 100, .longest_gap = 300});
  REQUIRE(stream.words.size() == 4);
  std::vector<int64_t> items;
  for (const Word& word : stream.words) {
    items.push_back(word.item);
    CHECK(word.end - word.begin == 400);
    const auto middle = static_cast<size_t>(word.begin + 200);
    CHECK(std::abs(stream.samples[middle] - 1000 * (word.label + 1)) <= 2);  // and the noise
  }
  for (size_t i = 1; i < stream.words.size(); ++i) {
    const int64_t gap = stream.words[i].begin - stream.words[i - 1].end;
    CHECK(gap >= 100);
    CHECK(gap <= 300);
  }
  std::ranges::sort(items);
  CHECK(items == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(std::ranges::count(stream.samples, 1) > 200);  // volumes from half on
  CHECK(data::stream_of_clips(clips, {.seed = 3, .shortest_gap = 100, .longest_gap = 300}).samples == stream.samples);
  CHECK(data::stream_of_clips(clips, {.seed = 4, .shortest_gap = 100, .longest_gap = 300}).samples != stream.samples);
}

TEST_CASE("hits once, misses and false alarms", "[data]") {
  const std::vector<std::string> classes = {"yes", "no", "_unknown_"};
  const std::vector<Word> words = {{100, 200, 0, 0}, {300, 400, 2, 1}, {500, 600, 1, 2}, {700, 800, 0, 3}};
  const std::vector<Heard> heard = {{150, 0}, {160, 0}, {350, 1}, {625, 1}, {750, 1}, {840, 0}};
  const data::StreamScore score = data::score_of(words, classes, heard, 30);
  CHECK(score.words == 3);  // other words are none
  CHECK(score.hits == 2);
  CHECK(score.false_alarms == 4);  // again, another word, another keyword, too late
  CHECK(score.delays == std::vector<int64_t>{50, 125});
}

TEST_CASE("a detector averages, waits, and never hears what is no keyword", "[data]") {
  const uint8_t keyword[] = {1, 1, 0};
  stream_detector d{.classes = 3, .answers = 2, .pause = 3, .threshold = 0.6f, .keyword = keyword, .history = nullptr};
  const std::vector<float> yes = {1, 0, 0}, no = {0, 1, 0}, other = {0, 0, 1};
  using H = std::vector<std::pair<int, int>>;
  CHECK(hear({yes, other, yes, other, yes}, d) == H{});  // one of two is 0.5
  CHECK(hear({other, yes, yes, yes, yes, yes, yes, other}, d) == H{{2, 0}, {6, 0}});
  CHECK(hear({other, other, other}, d) == H{});
  CHECK(hear({no, no}, d) == H{{1, 1}});
  d.answers = 1;
  CHECK(hear({yes, no, no, no, no}, d) == H{{0, 0}, {4, 1}});
}
