#pragma once
// Clips of sound in memory, whose items are spectral features. Private to src/data.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "condenser/data/dataset.hpp"
#include "condenser/data/features.hpp"

namespace condenser::data {

struct Clips {
  std::vector<int16_t> samples;              // [n, FrontEnd::samples()]
  std::vector<int> labels;                   // [n]
  std::vector<std::string> names;            // [n]: files, for people
  std::vector<std::vector<int16_t>> noises;  // what draw() mixes in; each one sample or longer
};

// get(): features of the clip, normalized by the mean and deviation of its one channel, kept once computed.
// draw(): time shift and noise on the waveform, then features. The clip is brought to its level (FeatureOptions::level)
// first; of the noise a random piece, brought to full scale by its largest magnitude, is added with a volume uniform in
// 0..noise_volume, and the sum is clipped to -1..1.
std::shared_ptr<const Dataset> make_clip_dataset(const AudioOptions&, std::vector<std::string> classes, Normalization,
                                                 Clips);

}  // namespace condenser::data
