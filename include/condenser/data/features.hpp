#pragma once
// From a clip of sound to the picture that a keyword network looks at: log-mel bands or MFCC over time.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::data {

// The defaults are the 49x10 MFCC of MLPerf Tiny (github.com/mlcommons/tiny, training/keyword_spotting).
struct FeatureOptions {
  std::string kind = "mfcc";  // mfcc or log_mel
  double window_ms = 30, stride_ms = 20;
  int bands = 40;                      // mel bands
  int coefficients = 10;               // of mfcc: the first so many
  double low_hz = 20, high_hz = 4000;  // lower edge of the first band, upper edge of the last
  bool centered = false;               // frame i is centred on sample i * stride, with silence around the clip
  std::string time = "rows";           // time runs down the rows or along the columns
  std::string level = "peak";          // peak: a clip is divided by its largest sample; full_scale: by 32768
  bool operator==(const FeatureOptions&) const = default;
};

struct AudioOptions {
  int sample_rate = 16000;  // Hz; clips of another rate are refused
  int clip_ms = 1000;       // shorter clips are followed by silence, longer ones cut
  FeatureOptions features;
  bool operator==(const AudioOptions&) const = default;
};
void read_options(core::config::Reader&, AudioOptions&);

// What a front-end takes of a device that runs cnd_frontend.c in single precision, a frame at a time while the clip
// arrives: its tables, and the samples of a frame, the scratch and a frame's values.
struct FrontEndCost {
  int64_t constant_bytes = 0, buffer_bytes = 0;
  bool operator==(const FrontEndCost&) const = default;
};
FrontEndCost cost_of(const AudioOptions&);  // from the options alone; throws as FrontEnd does

// All numbers of a front-end: what cnd_frontend.c asks for, under the same names.
struct FrontEndTables {
  int samples = 0, begin = 0, window = 0, stride = 0, frames = 0, fft = 0, bands = 0, coefficients = 0;
  int frame_step = 0, value_step = 0;
  bool peak = false;  // a clip is brought to its largest sample first; else to full scale
  std::vector<float> hann, turns, band_weights, dct;
  std::vector<uint16_t> order;
  std::vector<int16_t> band_begin, band_end;
};

// A front-end at work. Several threads may use one.
class FrontEnd {
 public:
  explicit FrontEnd(const AudioOptions&);  // throws core::Error for settings that do not fit together
  ~FrontEnd();
  FrontEnd(const FrontEnd&) = delete;
  FrontEnd& operator=(const FrontEnd&) = delete;

  const FrontEndTables& tables() const;
  int64_t samples() const;    // of a clip
  FrontEndCost held() const;  // counted on what is allocated here, and what cnd_frontend.c asks for
  ItemShape shape() const;    // one channel: frames x coefficients or bands; transposed when time runs along columns
  // What the samples of a clip are multiplied with: see FeatureOptions::level. Silence stays silence.
  float gain(std::span<const float> clip) const;
  // clip: samples() values, full scale is -1..1. features: shape().elements() values, not normalized.
  void run(std::span<const float> clip, std::span<float> features) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace condenser::data
