// The package of an export, and known answers made by the int8 executor.

#include "cli/stages/package.hpp"

#include <cmath>

#include "condenser/core/text.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {

namespace {

// How firmware turns pixels, or features of sound, into input integers, in words.
std::string input_note(const data::Card& card, const runtime::TensorQuant& input) {
  const bool pixels = card.format != "wav_folder" && card.format != "features_int8";
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

exporters::Package make_package(RunContext& run, const arch::Design& winner, const Int8Network& network) {
  exporters::Package package{
      .spec = network.lowered,
      .weights = network.weights,
      .quant = network.quant,
      .spec_hash = arch::hash(winner.spec).hex(),
      .classes = run.test()->classes(),
      .input_note = input_note(run.card(), network.quant.nodes.at(network.lowered.nodes[0].name).output)};
  describe_outputs(task_of(run.config), winner.output(), package);
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

exporters::KnownAnswers make_known_answers(const Int8Network& network, const data::Dataset& data,
                                           const data::Task& task, int count) {
  runtime::Int8Executor executor(runtime::build_program(network.lowered, network.weights, network.quant));
  const std::vector<int64_t> items = data::stratified_subset(data, count, 0);
  exporters::KnownAnswers answers = known_integers(executor, data, items);
  if (task.reconstructs()) return answers;  // no answer is right or wrong
  answers.right = [&data, task, items, shape = arch::Shape(executor.program().output_shape()),
                   scale = executor.program().output_quant()](size_t i, std::span<const int8_t> output) {
    std::vector<float> logits(output.size()), marks(output.size());
    quant::dequantize(output, shape, scale, logits);
    data.targets(items[i], marks);
    return data::right(task, logits, {data.label(items[i]), marks});
  };
  return answers;
}

}  // namespace condenser::cli
