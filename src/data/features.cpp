// Tables for cnd_frontend.c: window, FFT turns, mel bands, DCT. Computed in double precision, kept as float.
// Formulas are those of TensorFlow's tf.signal, which MLPerf Tiny's keyword features are made with: periodic Hann
// window, FFT of the next power of two, mel(f) = 1127 ln(1 + f / 700), triangles that are linear in mel and leave line
// 0 out.
#include "condenser/data/features.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/frames.hpp"
#include "data/front_end_core.hpp"

namespace condenser::data {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kLargestFft = 1 << 14;

double mel(double hz) { return 1127.0 * std::log(1.0 + hz / 700.0); }

std::vector<float> hann(int n) {
  std::vector<float> window(n);
  for (int i = 0; i < n; ++i) window[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * kPi * i / n));
  return window;
}

std::vector<float> turns(int fft) {
  std::vector<float> pairs(fft);
  for (int k = 0; k < fft / 2; ++k) {
    pairs[2 * k] = static_cast<float>(std::cos(2 * kPi * k / fft));
    pairs[2 * k + 1] = static_cast<float>(-std::sin(2 * kPi * k / fft));
  }
  return pairs;
}

std::vector<uint16_t> bit_reversed(int n) {
  std::vector<uint16_t> order(n);
  for (int i = 1; i < n; ++i) order[i] = static_cast<uint16_t>((order[i / 2] / 2) | (i % 2 ? n / 2 : 0));
  return order;
}

std::vector<float> dct(int coefficients, int bands) {
  std::vector<float> table(static_cast<size_t>(coefficients) * bands);
  for (int c = 0; c < coefficients; ++c) {
    for (int b = 0; b < bands; ++b) {
      table[c * bands + b] = static_cast<float>(std::sqrt(2.0 / bands) * std::cos(kPi * c * (2 * b + 1) / (2 * bands)));
    }
  }
  return table;
}

// Samples of a time; the longest clip has a minute.
int samples_of(double ms, int rate) { return static_cast<int>(std::lround(ms * rate / 1000)); }

[[noreturn]] void refuse(const std::string& key, const std::string& found, const std::string& expected) {
  throw core::Error("features: " + key + " = " + found + "; expected " + expected);
}

void check(const AudioOptions& o) {
  const FeatureOptions& f = o.features;
  const int clip = samples_of(o.clip_ms, o.sample_rate), window = samples_of(f.window_ms, o.sample_rate);
  if (window < 4 || window > kLargestFft) {
    refuse("window_ms", core::number(f.window_ms), "4 to " + std::to_string(kLargestFft) + " samples");
  }
  if (!f.centered && window > clip) refuse("window_ms", core::number(f.window_ms), "at most clip_ms");
  if (samples_of(f.stride_ms, o.sample_rate) < 1) refuse("stride_ms", core::number(f.stride_ms), "a sample or more");
  if (f.low_hz >= f.high_hz) refuse("low_hz", core::number(f.low_hz), "less than high_hz");
  if (f.high_hz > o.sample_rate / 2.0) refuse("high_hz", core::number(f.high_hz), "at most half of sample_rate");
  if (f.kind == "mfcc" && f.coefficients > f.bands) {
    refuse("coefficients", std::to_string(f.coefficients), "at most bands, " + std::to_string(f.bands));
  }
}

int fft_of(int window) { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(window))); }

struct Band {
  int begin = 0;  // first spectral line
  std::vector<float> weights;
};

// Band b rises from edge b to edge b + 1 and falls to edge b + 2; edges are equally spaced in mel.
std::vector<Band> bands_of(const FeatureOptions& f, int rate, int fft) {
  std::vector<Band> bands(static_cast<size_t>(f.bands));
  const double low = mel(f.low_hz), width = (mel(f.high_hz) - low) / (f.bands + 1);
  for (int b = 0; b < f.bands; ++b) {
    Band& band = bands[static_cast<size_t>(b)];
    const double from = low + b * width, center = from + width, to = center + width;
    for (int line = 1; line <= fft / 2; ++line) {
      const double at = mel(static_cast<double>(line) * rate / fft);
      const double weight = std::min((at - from) / (center - from), (to - at) / (to - center));
      if (weight <= 0) continue;
      if (band.weights.empty()) band.begin = line;
      band.weights.push_back(static_cast<float>(weight));
    }
    if (!band.weights.empty()) continue;
    refuse("bands", std::to_string(f.bands),
           "fewer, or a longer window: band " + std::to_string(b) + " lies between two lines of the " +
               std::to_string(fft) + "-point spectrum");
  }
  return bands;
}

}  // namespace

FrontEndCost cost_of(const AudioOptions& o) {
  check(o);
  constexpr int64_t kFloat = 4, kIndex = 2;
  const FeatureOptions& f = o.features;
  const int64_t window = samples_of(f.window_ms, o.sample_rate), fft = fft_of(static_cast<int>(window));
  const int64_t coefficients = f.kind == "mfcc" ? f.coefficients : 0;
  int64_t weights = 0;
  for (const Band& band : bands_of(f, o.sample_rate, static_cast<int>(fft))) weights += std::ssize(band.weights);
  const int64_t scratch = fft + fft / 2 + 1 + f.bands;
  return {
      .constant_bytes = kFloat * (window + fft + weights + coefficients * f.bands) + kIndex * (fft / 2 + 2 * f.bands),
      .buffer_bytes = kFloat * (window + scratch + (coefficients > 0 ? coefficients : f.bands))};
}

void read_options(core::config::Reader& reader, AudioOptions& o) {
  reader.integer("sample_rate", o.sample_rate, 1000, 192000, "of the sound files, in Hz");
  reader.integer("clip_ms", o.clip_ms, 10, 60000, "length of a clip: shorter ones are followed by silence, longer cut");
  core::config::Reader features = reader.section("features", "what is computed from a clip");
  FeatureOptions& f = o.features;
  features.choice("kind", f.kind, {"mfcc", "log_mel"},
                  "mel-frequency cepstral coefficients, or logarithms of mel bands");
  features.number("window_ms", f.window_ms, 0.1, 1000, "length of a frame");
  features.number("stride_ms", f.stride_ms, 0.1, 1000, "from frame to frame");
  features.integer("bands", f.bands, 1, 256, "mel bands");
  features.integer("coefficients", f.coefficients, 1, 256, "of mfcc: the first so many");
  features.number("low_hz", f.low_hz, 0, 96000, "lower edge of the first band");
  features.number("high_hz", f.high_hz, 1, 96000, "upper edge of the last band");
  features.boolean("centered", f.centered, "frames are centred on multiples of the stride, silence around the clip");
  features.choice("time", f.time, {"rows", "columns"}, "time runs down the rows or along the columns");
  features.choice("level", f.level, {"peak", "full_scale"}, "what a clip is divided by: its largest sample, or 32768");
  try {
    FrontEnd{o};
  } catch (const core::Error& error) {
    throw core::ConfigError(features.where() + ": " + error.what());
  }
}

namespace {

void add_bands(const FeatureOptions& f, int rate, FrontEndTables& t) {
  for (const Band& band : bands_of(f, rate, t.fft)) {
    t.band_weights.insert(t.band_weights.end(), band.weights.begin(), band.weights.end());
    t.band_begin.push_back(static_cast<int16_t>(band.begin));
    t.band_end.push_back(static_cast<int16_t>(band.begin + std::ssize(band.weights)));
  }
}

FrontEndTables tables_of(const AudioOptions& o) {
  check(o);
  const FeatureOptions& f = o.features;
  FrontEndTables t;
  t.samples = samples_of(o.clip_ms, o.sample_rate);
  t.window = samples_of(f.window_ms, o.sample_rate);
  t.stride = samples_of(f.stride_ms, o.sample_rate);
  t.begin = f.centered ? -t.window / 2 : 0;
  t.frames = 1 + (f.centered ? t.samples : t.samples - t.window) / t.stride;
  t.fft = fft_of(t.window);
  t.bands = f.bands;
  t.coefficients = f.kind == "mfcc" ? f.coefficients : 0;
  const bool columns = f.time == "columns";
  t.frame_step = columns ? 1 : frame_values(t);
  t.value_step = columns ? t.frames : 1;
  t.peak = f.level == "peak";
  t.hann = hann(t.window);
  t.turns = turns(t.fft);
  t.order = bit_reversed(t.fft / 2);
  t.dct = dct(t.coefficients, t.bands);
  add_bands(f, o.sample_rate, t);
  return t;
}

}  // namespace

struct FrontEnd::State {
  explicit State(const AudioOptions& o)
      : tables(tables_of(o)), columns(o.features.time == "columns"), core(core_of(tables)) {}
  const FrontEndTables tables;
  const bool columns;
  const cnd_frontend core;
};

FrontEnd::FrontEnd(const AudioOptions& options) : state_(std::make_unique<State>(options)) {}
FrontEnd::~FrontEnd() = default;

const FrontEndTables& FrontEnd::tables() const { return state_->tables; }
int64_t FrontEnd::samples() const { return state_->core.samples; }

FrontEndCost FrontEnd::held() const {
  const FrontEndTables& t = state_->tables;
  const auto bytes = [](const auto& table) { return static_cast<int64_t>(table.size() * sizeof(table[0])); };
  return {.constant_bytes = bytes(t.hann) + bytes(t.turns) + bytes(t.band_weights) + bytes(t.dct) + bytes(t.order) +
                            bytes(t.band_begin) + bytes(t.band_end),
          .buffer_bytes =
              static_cast<int64_t>(sizeof(float)) * (t.window + cnd_frontend_scratch(&state_->core) + frame_values(t))};
}

ItemShape FrontEnd::shape() const {
  const int64_t frames = state_->core.frames, values = frame_values(state_->tables);
  return state_->columns ? ItemShape{1, values, frames} : ItemShape{1, frames, values};
}

// The largest sample, not the largest magnitude: MLPerf Tiny's training code divides by tf.reduce_max(audio).
float FrontEnd::gain(std::span<const float> clip) const {
  const float largest = state_->tables.peak && !clip.empty() ? *std::ranges::max_element(clip) : 0.0f;
  return largest > 0 ? 1.0f / largest : 1.0f / 32768;
}

void FrontEnd::run(std::span<const float> clip, std::span<float> features) const {
  const cnd_frontend& core = state_->core;
  if (std::ssize(clip) != samples() || std::ssize(features) != shape().elements()) {
    throw core::Error("features: " + std::to_string(clip.size()) + " samples to " + std::to_string(features.size()) +
                      " features; expected " + std::to_string(samples()) + " to " + std::to_string(shape().elements()));
  }
  std::vector<float> scratch(cnd_frontend_scratch(&core));
  cnd_frontend_run(&core, clip.data(), scratch.data(), features.data());
}

}  // namespace condenser::data
