#include "condenser/data/frames.hpp"

#include "data/front_end_core.hpp"

namespace condenser::data {

cnd_frontend core_of(const FrontEndTables& t) {
  return {.samples = t.samples,
          .begin = t.begin,
          .window = t.window,
          .stride = t.stride,
          .frames = t.frames,
          .fft = t.fft,
          .bands = t.bands,
          .coefficients = t.coefficients,
          .frame_step = t.frame_step,
          .value_step = t.value_step,
          .hann = t.hann.data(),
          .turns = t.turns.data(),
          .order = t.order.data(),
          .band_begin = t.band_begin.data(),
          .band_end = t.band_end.data(),
          .band_weights = t.band_weights.data(),
          .dct = t.dct.data()};
}

int frame_values(const FrontEndTables& t) { return t.coefficients > 0 ? t.coefficients : t.bands; }

int64_t pieces_before_frames(const FrontEndTables& t) { return (t.window + t.stride - 1) / t.stride - 1; }

std::vector<float> frames_of(const FrontEndTables& t, std::span<const int16_t> sound) {
  cnd_frontend core = core_of(t);
  core.samples = t.window;
  core.begin = 0;
  const auto values = static_cast<size_t>(frame_values(t));
  std::vector<float> scratch(static_cast<size_t>(cnd_frontend_scratch(&core))), features;
  for (int64_t end = (pieces_before_frames(t) + 1) * t.stride; end <= std::ssize(sound); end += t.stride) {
    features.resize(features.size() + values);
    cnd_frontend_frame(&core, sound.data() + end - t.window, 1.0f / 32768.0f, 0, scratch.data(),
                       features.data() + features.size() - values);
  }
  return features;
}

}  // namespace condenser::data
