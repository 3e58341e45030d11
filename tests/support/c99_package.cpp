// Packages for tests of the exporter and of its proof.
#include "support/c99_package.hpp"

#include <cmath>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/exporters/stream.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/exemplars.hpp"
#include "support/random_int8.hpp"

namespace condenser::testing {

C99Case c99_case(const arch::Spec& lowered, uint64_t seed, size_t samples, const std::vector<bool>& wide) {
  const RandomInt8 random = random_int8(lowered, seed, wide);
  C99Case result;
  result.package.spec = lowered;
  result.package.weights = random.weights;
  result.package.quant = random.quant;
  result.package.spec_hash = arch::hash(lowered).hex();
  result.package.input_note = "random bytes";
  runtime::Int8Executor executor(runtime::build_program(lowered, random.weights, random.quant));
  for (size_t s = 0; s < samples; ++s) {
    result.answers.inputs.push_back(random_input(lowered, seed + 1 + s));
    const std::span<const int8_t> output = executor.run(result.answers.inputs.back());
    result.answers.outputs.emplace_back(output.begin(), output.end());
  }
  return result;
}

namespace {

// A tone that rises, under noise.
std::vector<int16_t> random_clip(int samples, uint64_t seed) {
  core::Rng rng(seed, 0x50);
  std::vector<int16_t> clip;
  const double low = rng.uniform(0.05, 0.5), high = rng.uniform(0.5, 2.0);
  for (int n = 0; n < samples; ++n)
    clip.push_back(
        static_cast<int16_t>(8000 * std::sin(n * (low + (high - low) * n / samples)) + rng.uniform(-900, 900)));
  return clip;
}

}  // namespace

C99Case sound_case(uint64_t seed, size_t samples, const data::FeatureOptions& features, int channels) {
  const data::AudioOptions options{.sample_rate = 8000, .clip_ms = 125, .features = features};
  const data::FrontEnd front_end(options);
  arch::Builder b("sounds", front_end.shape());
  int x = b.add("conv", arch::Conv2d{channels, {3, 3}, {2, 2}, {1, 1, 1, 1}}, {b.input()});
  x = b.add("pool", arch::GlobalAvgPool{}, {x});
  b.add("fc", arch::Linear{4}, {x});
  const arch::Spec lowered = arch::lower(b.finish(), nullptr);
  C99Case result = c99_case(lowered, seed, samples);
  result.package.classes = {"left", "right", "other", "silence"};
  result.package.sound = exporters::SoundInput{options.sample_rate, -1.0, 7.0, front_end.tables()};
  runtime::Int8Executor executor(runtime::build_program(lowered, result.package.weights, *result.package.quant));
  std::vector<float> values(static_cast<size_t>(front_end.shape().elements()));
  for (size_t s = 0; s < samples; ++s) {
    result.answers.clips.push_back(random_clip(static_cast<int>(front_end.samples()), seed + s));
    std::vector<float> wave(result.answers.clips[s].begin(), result.answers.clips[s].end());
    const float gain = front_end.gain(wave);
    for (float& sample : wave) sample *= gain;
    front_end.run(wave, values);
    for (float& value : values) value = (value + 1.0f) / 7.0f;
    executor.quantize_input(values, result.answers.inputs[s]);
    const auto output = executor.run(result.answers.inputs[s]);
    result.answers.outputs[s].assign(output.begin(), output.end());
  }
  return result;
}

C99Export::C99Export(C99Case made, const exporters::ExportOptions& options) : test(std::move(made)) {
  if (options.stream != "none") test.answers.stream = exporters::stream_outputs(test.package, options, test.answers);
  exporters::find_target("c99").write(test.package, test.answers, options, folder);
}

C99Export::C99Export(const char* exemplar, size_t samples, const exporters::ExportOptions& options)
    : C99Export(c99_case(arch::lower(testing::exemplar(exemplar), nullptr), 5, samples), options) {}

}  // namespace condenser::testing
