// The spectral front-end against values of scripts/make_feature_reference.py, and what it refuses.
#include "condenser/data/features.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "condenser/core/error.hpp"
#include "data/cnd_frontend.h"
#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

// The made-up clip of the script.
std::vector<float> clip(int samples) {
  std::vector<float> out;
  int64_t state = 1, phase = 0;
  for (int64_t n = 0; n < samples; ++n) {
    state = (state * 1103515245 + 12345) % (int64_t{1} << 31);
    phase = (phase + 300 + n / 4) % 65536;
    const int64_t wave = std::abs(phase - 32768) * std::min<int64_t>(n, samples - n) / (samples / 2);
    out.push_back(static_cast<int16_t>(wave - 9000 + (state >> 16) % 1001));
  }
  return out;
}

std::vector<float> features_of(const AudioOptions& options, const std::vector<float>& sound) {
  const FrontEnd front_end(options);
  const float gain = front_end.gain(sound);
  std::vector<float> wave(sound.size()), features(front_end.shape().elements());
  std::ranges::transform(sound, wave.begin(), [gain](float x) { return gain * x; });
  front_end.run(wave, features);
  return features;
}

AudioOptions read_settings(std::istringstream& words, std::string& name, int& frames) {
  AudioOptions o;
  FeatureOptions& f = o.features;
  words >> name >> o.sample_rate >> f.kind >> f.window_ms >> f.stride_ms >> f.bands >> f.coefficients >> f.low_hz >>
      f.high_hz >> f.centered >> f.level >> frames;
  return o;
}

std::string refusal(const std::string& card_keys) {
  AudioOptions options;
  auto reader = condenser::core::config::Reader::from_text(card_keys, "card.yaml");
  return error_of(
      [&] {
        read_options(reader, options);
        reader.finish();
      },
      true);
}

}  // namespace

TEST_CASE("features equal an independent computation in double precision", "[features]") {
  std::ifstream file(CONDENSER_SOURCE_DIR "/tests/data/features_reference.txt");
  std::string name;
  std::vector<float> features;
  int values = 0, checked = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (line.starts_with("settings ")) {
      std::string keyword;
      int frames = 0;
      words >> keyword;
      const AudioOptions options = read_settings(words, name, frames);
      REQUIRE(words);
      features = features_of(options, clip(options.sample_rate));
      CHECK(FrontEnd(options).shape().h == frames);
      values = static_cast<int>(FrontEnd(options).shape().w);
      continue;
    }
    int frame = 0, value = 0;
    double expected = 0;
    words >> frame >> value >> expected;
    REQUIRE(words);
    INFO(name << " frame " << frame << " value " << value);
    CHECK(features.at(frame * values + value) == Approx(expected).margin(2e-4).epsilon(0));
    ++checked;
  }
  CHECK(checked == 80);
}

TEST_CASE("shapes of the two customary front-ends", "[features]") {
  AudioOptions options;
  CHECK(FrontEnd(options).shape() == ItemShape{1, 49, 10});
  CHECK(FrontEnd(options).samples() == 16000);
  options.features = {.kind = "log_mel", .window_ms = 25, .stride_ms = 10, .bands = 40, .high_hz = 8000};
  CHECK(FrontEnd(options).shape() == ItemShape{1, 98, 40});
  options.features.centered = true;
  CHECK(FrontEnd(options).shape() == ItemShape{1, 101, 40});
  const std::vector<float> rows = features_of(options, clip(16000));
  options.features.time = "columns";
  CHECK(FrontEnd(options).shape() == ItemShape{1, 40, 101});
  const std::vector<float> columns = features_of(options, clip(16000));
  for (int frame = 0; frame < 101; ++frame) {
    for (int band = 0; band < 40; ++band) REQUIRE(rows[frame * 40 + band] == columns[band * 101 + frame]);
  }
}

TEST_CASE("a tone is found in its band", "[features]") {
  AudioOptions options;
  options.features = {.kind = "log_mel", .bands = 40, .low_hz = 0, .high_hz = 8000};
  std::vector<float> sound(16000);
  for (int n = 0; n < 16000; ++n)
    sound[n] = static_cast<int16_t>(8000 * std::sin(2 * 3.141592653589793 * 1000 * n / 16000.0));
  const std::vector<float> features = features_of(options, sound);
  const auto first = features.begin() + 20 * 40;
  // mel(1000) = 1000 of mel(8000) = 2840, in steps of 2840 / 41.
  CHECK(std::max_element(first, first + 40) - first == 13);
}

TEST_CASE("levels", "[features]") {
  AudioOptions options;
  const std::vector<float> sound = {0, 100, -30000, 5};
  CHECK(FrontEnd(options).gain(sound) == 1.0f / 100);  // the largest sample, not the largest magnitude
  CHECK(FrontEnd(options).gain(std::vector<float>{0, -5}) == 1.0f / 32768);
  options.features.level = "full_scale";
  CHECK(FrontEnd(options).gain(sound) == 1.0f / 32768);
  options.features.kind = "log_mel";
  for (float value : features_of(options, std::vector<float>(16000))) {
    CHECK(value == Approx(std::log(1e-6)).margin(1e-5));
  }
  // A clip twice as loud gives the same features when brought to its peak.
  std::vector<float> quiet = clip(16000), loud = quiet;
  for (size_t n = 0; n < quiet.size(); ++n) loud[n] = 2 * (quiet[n] = std::trunc(quiet[n] / 4));
  options.features = {};
  const auto a = features_of(options, quiet), b = features_of(options, loud);
  for (size_t k = 0; k < a.size(); ++k) CHECK(a[k] == Approx(b[k]).margin(1e-4));
  options.features.level = "full_scale";
  CHECK(features_of(options, quiet)[0] < features_of(options, loud)[0] - 1);
}

TEST_CASE("a device hears frame by frame, in 16 bits, what training computes of the clip", "[features]") {
  std::vector<AudioOptions> all(4);
  all[1].features.level = "full_scale";
  all[2].features = {.kind = "log_mel", .window_ms = 40, .stride_ms = 10, .centered = true, .time = "columns"};
  all[3] = {.sample_rate = 8000, .clip_ms = 500, .features = {}};
  for (const AudioOptions& o : all) {
    const FrontEnd front_end(o);
    const FrontEndTables& t = front_end.tables();
    const std::vector<float> sound = clip(t.samples), expected = features_of(o, sound);
    const std::vector<int16_t> samples(sound.begin(), sound.end());
    const float gain = t.peak ? cnd_frontend_gain(t.samples, samples.data()) : 1.0f / 32768.0f;
    CHECK(gain == front_end.gain(sound));
    const cnd_frontend core{t.samples,         t.begin,
                            t.window,          t.stride,
                            t.frames,          t.fft,
                            t.bands,           t.coefficients,
                            t.frame_step,      t.value_step,
                            t.hann.data(),     t.turns.data(),
                            t.order.data(),    t.band_begin.data(),
                            t.band_end.data(), t.band_weights.data(),
                            t.dct.data()};
    std::vector<float> scratch(cnd_frontend_scratch(&core));
    std::vector<float> values(t.coefficients > 0 ? t.coefficients : t.bands);
    int64_t different = 0;
    for (int frame = 0; frame < t.frames; ++frame) {
      cnd_frontend_frame(&core, samples.data(), gain, frame, scratch.data(), values.data());
      for (size_t v = 0; v < values.size(); ++v)
        different += values[v] != expected[frame * t.frame_step + static_cast<int>(v) * t.value_step];
    }
    CHECK(different == 0);
  }
  const std::vector<int16_t> quiet = {0, -5};
  CHECK(cnd_frontend_gain(2, quiet.data()) == 1.0f / 32768);
}

TEST_CASE("the logarithm is right to the last digits", "[features]") {
  double worst = 0;
  for (float x = 1e-6f; x < 1e6f; x *= 1.00037f) {
    const double exact = std::log(static_cast<double>(x));
    worst = std::max(worst, std::abs(cnd_frontend_log(x) - exact) / std::max(1.0, std::abs(exact)));
  }
  CHECK(worst < 2.5e-7);
  CHECK(cnd_frontend_log(1.0f) == 0.0f);
}

TEST_CASE("settings that do not fit are refused by key", "[features]") {
  CHECK(refusal("features: {kind: mfcc, coefficients: 13}").empty());
  CHECK(contains(refusal("features: {kind: mfccs}"), "kind"));
  CHECK(contains(refusal("features: {bands: 12, coefficients: 13}"), "coefficients = 13; expected at most bands, 12"));
  CHECK(contains(refusal("features: {high_hz: 9000}"), "at most half of sample_rate"));
  CHECK(contains(refusal("features: {low_hz: 5000}"), "less than high_hz"));
  CHECK(contains(refusal("clip_ms: 20"), "at most clip_ms"));
  CHECK(contains(refusal("features: {bands: 200}"), "lies between two lines of the 512-point spectrum"));
  CHECK(contains(refusal("features: {bands: 200}"), "card.yaml:1"));
  CHECK(contains(refusal("sample_rate: 1000\nfeatures: {window_ms: 0.1, high_hz: 500}"), "window_ms"));
  CHECK(contains(refusal("features: {window: 30}"), "window"));
}

TEST_CASE("what a front-end costs follows from its options, as it is allocated", "[data]") {
  std::vector<AudioOptions> all(5);
  all[1].features.coefficients = 40;
  all[2].features.kind = "log_mel";
  all[3].features = {
      .window_ms = 40, .stride_ms = 10, .bands = 30, .coefficients = 13, .high_hz = 8000, .centered = true};
  all[4] = {.sample_rate = 8000, .clip_ms = 500, .features = {}};
  for (const AudioOptions& o : all) {
    const FrontEnd front_end(o);
    CHECK(cost_of(o) == front_end.held());
  }
  // A window of 480 samples, scratch for 512 points, 257 lines and 40 bands, 10 values.
  CHECK(cost_of(all[0]).buffer_bytes == 4 * (480 + 512 + 257 + 40 + 10));
  CHECK(cost_of(all[1]).constant_bytes - cost_of(all[0]).constant_bytes == 4 * 30 * 40);  // of the DCT
}

TEST_CASE("a front-end that runs frame by frame stays inside the buffers that are counted", "[data]") {
  // A band of one line each, so that the tables are plain.
  constexpr int kWindow = 12, kFft = 16, kBands = 3, kCoefficients = 2;
  const std::vector<float> ones(kFft, 1.0f);
  std::vector<float> turns;
  for (int k = 0; k < kFft / 2; ++k)
    turns.insert(turns.end(), {std::cos(6.2831853f * k / kFft), -std::sin(6.2831853f * k / kFft)});
  const std::vector<uint16_t> order{0, 4, 2, 6, 1, 5, 3, 7};
  const std::vector<int16_t> begin{1, 2, 8}, end{2, 3, 9};
  cnd_frontend f{.samples = kWindow,
                 .begin = 0,
                 .window = kWindow,
                 .stride = 4,
                 .frames = 1,
                 .fft = kFft,
                 .bands = kBands,
                 .coefficients = kCoefficients,
                 .frame_step = kCoefficients,
                 .value_step = 1,
                 .hann = ones.data(),
                 .turns = turns.data(),
                 .order = order.data(),
                 .band_begin = begin.data(),
                 .band_end = end.data(),
                 .band_weights = ones.data(),
                 .dct = ones.data()};
  REQUIRE(cnd_frontend_scratch(&f) == kFft + kFft / 2 + 1 + kBands);
  constexpr float kMark = 12345.0f;
  std::vector<float> scratch(cnd_frontend_scratch(&f) + 4, kMark), values(kCoefficients + 4, kMark);
  cnd_frontend_run(&f, ones.data(), scratch.data(), values.data());
  CHECK(std::count(scratch.begin(), scratch.end(), kMark) >= 4);
  CHECK(std::all_of(scratch.end() - 4, scratch.end(), [](float x) { return x == kMark; }));
  CHECK(scratch[scratch.size() - 5] != kMark);  // the last band
  CHECK(std::count(values.begin(), values.end(), kMark) == 4);
}
