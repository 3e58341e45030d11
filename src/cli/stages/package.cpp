// The package of an export, and known answers made by the int8 executor.

#include "cli/stages/package.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/arch/passes.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/split.hpp"
#include "condenser/exporters/stream.hpp"

namespace condenser::cli {

namespace {

// How firmware turns pixels, or features of sound, into input integers, in words.
std::string input_note(const data::Card& card, const runtime::TensorQuant& input) {
  const bool pixels = !is_audio(card);
  std::string text = std::string("order: height, width, channel (interleaved). q = round(((") +
                     (pixels ? "pixel / 255" : "feature") +
                     " - mean) / std) / scale) + zero_point, clamped to -128..127; mean = [";
  const auto list = [](const std::vector<double>& values) {
    std::vector<std::string> texts;
    for (const double v : values) texts.push_back(core::number(v));
    return core::join(texts);
  };
  text += list(card.normalization.mean) + "], std = [" + list(card.normalization.std) + "]";
  bool plain = pixels;  // does q = pixel - 128 hold for every pixel of every channel?
  for (size_t ch = 0; ch < card.normalization.mean.size() && plain; ++ch)
    for (int pixel = 0; pixel < 256 && plain; ++pixel) {
      const double x = (pixel / 255.0 - card.normalization.mean[ch]) / card.normalization.std[ch];
      plain = std::lround(x / input.scale) + input.zero_point == pixel - 128;
    }
  if (plain) text += "; for 8-bit pixels this is exactly q = pixel - 128";
  return text;
}

// What firmware writes into the input for a pixel of 8 bits.
std::vector<std::array<int8_t, 256>> pixel_tables(const data::Card& card, const runtime::TensorQuant& input) {
  std::vector<std::array<int8_t, 256>> tables(static_cast<size_t>(card.shape.c));
  const data::Normalization& n = card.normalization;
  for (size_t c = 0; c < tables.size(); ++c) {
    const double mean = n.mean.empty() ? 0.0 : n.mean[c], std = n.std.empty() ? 1.0 : n.std[c];
    for (size_t pixel = 0; pixel < 256; ++pixel) {
      const auto x = static_cast<float>((static_cast<double>(pixel) / 255.0 - mean) / std);  // as data::Normalizer
      const double q = std::round(double{x} / input.scale) + input.zero_point;
      tables[c][pixel] = static_cast<int8_t>(std::clamp(q, -128.0, 127.0));
    }
  }
  return tables;
}

// The front-end of WAV files; other features come from somewhere else.
std::optional<exporters::SoundInput> sound_input(const data::Card& card) {
  if (card.format != "wav_folder") return std::nullopt;
  const data::Normalization& n = card.normalization;
  return exporters::SoundInput{.sample_rate = card.audio.sample_rate,
                               .mean = n.mean.empty() ? 0.0 : n.mean[0],
                               .std = n.std.empty() ? 1.0 : n.std[0],
                               .tables = data::FrontEnd(card.audio).tables()};
}

// A clip in 16 bits, and its features as the data set would give them.
std::vector<int16_t> clip_of(const data::Dataset& data, int64_t item) {
  std::vector<int16_t> clip;
  for (const float x : data.clip(item))
    clip.push_back(static_cast<int16_t>(std::clamp(std::round(x), -32768.0f, 32767.0f)));
  return clip;
}

void features_of(const data::FrontEnd& front_end, const exporters::SoundInput& sound, const std::vector<int16_t>& clip,
                 std::vector<float>& features) {
  std::vector<float> wave(clip.begin(), clip.end());
  const float gain = front_end.gain(wave);
  for (float& x : wave) x *= gain;
  front_end.run(wave, features);
  const auto mean = static_cast<float>(sound.mean), std = static_cast<float>(sound.std);
  for (float& value : features) value = (value - mean) / std;
}

// Outputs that are no classes have no names.
void describe_outputs(const data::Task& task, const arch::Shape& output, exporters::Package& package) {
  if (!task.reconstructs()) return;
  package.classes.clear();
  package.output_note = "the " + std::to_string(output.elements()) + " values of the input again, in the order " +
                        (output.h * output.w == 1 ? "channel, height, width" : "height, width, channel") +
                        ": x = (q - zero_point) * scale. "
                        "The mean of their squared differences from the input's x is the score of an anomaly";
}

}  // namespace

exporters::Package make_package(RunContext& run, const arch::Design& winner, const Int8Network& network,
                                const std::vector<std::string>& targets) {
  exporters::Package package{
      .spec = network.lowered,
      .weights = network.weights,
      .quant = network.quant,
      .spec_hash = arch::hash(winner.spec).hex(),
      .classes = run.test()->classes(),
      .input_note = input_note(run.card(), network.quant.nodes.at(network.lowered.nodes[0].name).output)};
  const data::Card card = run.card();
  package.independent = task_of(run.config).independent;
  if (is_audio(card) && run.config.export_options.front_end) package.sound = sound_input(card);
  if (!is_audio(card))
    package.pixels = pixel_tables(card, network.quant.nodes.at(network.lowered.nodes[0].name).output);
  describe_outputs(task_of(run.config), winner.output(), package);
  if (std::ranges::any_of(targets, [](const std::string& name) { return exporters::find_target(name).floats; })) {
    package.floats = load_float_weights(run, winner.spec);
    arch::lower(winner.spec, &*package.floats);
  }
  return package;
}

exporters::KnownAnswers known_integers(runtime::Int8Executor& executor, const data::Dataset& data,
                                       const std::vector<int64_t>& items) {
  exporters::KnownAnswers answers;
  std::vector<float> image(data.shape().elements());
  std::vector<int8_t> input(image.size());
  for (const int64_t i : items) {
    data.get(i, image);
    executor.quantize_input(image, input);
    const auto output = executor.run(input);
    answers.inputs.push_back(input);
    answers.outputs.emplace_back(output.begin(), output.end());
  }
  return answers;
}

namespace {

// The sounds of the items, and inputs and outputs made from them.
void hear(runtime::Int8Executor& executor, const data::Dataset& data, const std::vector<int64_t>& items,
          const exporters::SoundInput& sound, const data::AudioOptions& options, exporters::KnownAnswers& answers) {
  const data::FrontEnd front_end(options);
  std::vector<float> features(static_cast<size_t>(front_end.shape().elements()));
  for (size_t i = 0; i < items.size(); ++i) {
    answers.clips.push_back(clip_of(data, items[i]));
    features_of(front_end, sound, answers.clips.back(), features);
    executor.quantize_input(features, answers.inputs[i]);
    const auto output = executor.run(answers.inputs[i]);
    answers.outputs[i].assign(output.begin(), output.end());
  }
}

}  // namespace

exporters::KnownAnswers make_known_answers(RunContext& run, const Int8Network& network,
                                           const exporters::Package& package, int count) {
  const std::shared_ptr<const data::Dataset> data = run.test();
  const data::Task task = task_of(run.config);
  runtime::Int8Executor executor(runtime::build_program(network.lowered, network.weights, network.quant));
  const std::vector<int64_t> items = data::stratified_subset(*data, count, 0);
  exporters::KnownAnswers answers = known_integers(executor, *data, items);
  if (package.sound) hear(executor, *data, items, *package.sound, run.card().audio, answers);
  if (run.config.export_options.stream != "none")
    answers.stream = exporters::stream_outputs(package, run.config.export_options, answers);
  if (task.reconstructs()) return answers;  // no answer is right or wrong
  answers.right = [data, task, items, shape = arch::Shape(executor.program().output_shape()),
                   scale = executor.program().output_quant()](size_t i, std::span<const int8_t> output) {
    std::vector<float> logits(output.size()), marks(output.size());
    quant::dequantize(output, shape, scale, logits);
    data->targets(items[i], marks);
    return data::right(task, logits, {data->label(items[i]), marks});
  };
  return answers;
}

}  // namespace condenser::cli
