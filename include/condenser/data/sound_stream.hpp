#pragma once
// A stream made of the clips of a data set, with noise between, and what a detector of keywords makes of it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "condenser/data/dataset.hpp"

namespace condenser::data {

struct Word {
  int64_t begin = 0, end = 0;  // samples of its clip in the stream
  int label = -1;
  int64_t item = -1;  // of the data set
  bool operator==(const Word&) const = default;
};

struct SoundStream {
  std::vector<int16_t> samples;
  std::vector<Word> words;  // in the order of time
};

struct StreamOptions {
  uint64_t seed = 1;
  int64_t shortest_gap = 0, longest_gap = 0;  // samples between two clips
};

// Every clip once, in random order, but for those of _silence_: these, in random order and volume, are the noise below
// all of it. Throws core::Error where the data have no sounds.
SoundStream stream_of_clips(const Dataset&, const StreamOptions&);

struct Heard {
  int64_t at = 0;  // sample
  int label = -1;
};

struct StreamScore {
  int64_t words = 0, hits = 0, false_alarms = 0;
  std::vector<int64_t> delays;  // of hits, samples from the begin of their clips
};

// A keyword that is heard from the begin of its clip to `late` samples behind its end is a hit, once. All else that is
// heard is a false alarm.
StreamScore score_of(std::span<const Word> words, const std::vector<std::string>& classes, std::span<const Heard> heard,
                     int64_t late);

}  // namespace condenser::data
