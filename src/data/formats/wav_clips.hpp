#pragma once
// Clips of sound in memory, whose items are spectral features. Private to src/data.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "condenser/data/dataset.hpp"
#include "condenser/data/features.hpp"

namespace condenser::data {

// Clips of equal length on the scale of 16-bit PCM: two bytes a sample as long as all are whole numbers of 16 bits, as
// in most data sets, four when one is not.
class Waves {
 public:
  explicit Waves(int64_t length = 0) : length_(length) {}
  // At most `length` samples; what is missing is silence.
  void append(std::span<const float> samples);
  void copy(int64_t i, std::span<float> out) const;  // `length` values
  int64_t length() const { return length_; }

 private:
  int64_t length_;
  bool is_fine_ = false;  // which of the two holds them
  std::vector<int16_t> whole_;
  std::vector<float> fine_;
};

struct Clips {
  Waves waves;                             // [n, FrontEnd::samples()]
  std::vector<int> labels;                 // [n]
  std::vector<std::string> names;          // [n]: files, for people
  std::vector<std::vector<float>> noises;  // what draw() mixes in; each one sample or longer
};

// get(): features of the clip, normalized by the mean and deviation of its one channel, kept once computed.
// draw(): time shift and noise on the waveform, then features. The clip is brought to its level (FeatureOptions::level)
// first; of the noise a random piece, brought to full scale by its largest magnitude, is added with a volume uniform in
// 0..noise_volume, and the sum is clipped to -1..1.
std::shared_ptr<const Dataset> make_clip_dataset(const AudioOptions&, std::vector<std::string> classes, Normalization,
                                                 Clips);

}  // namespace condenser::data
