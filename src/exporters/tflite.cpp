// The TensorFlow Lite target: what it refuses, and its files.
#include "exporters/tflite.hpp"

#include <nlohmann/json.hpp>

#include "condenser/core/text.hpp"
#include "condenser/runtime/int8_program.hpp"
#include "exporters/answers.hpp"
#include "exporters/eight_bits.hpp"
#include "exporters/export_folder.hpp"
#include "exporters/npz.hpp"

namespace condenser::exporters {
namespace {

std::string readme(const Package& package, const ExportOptions& o, const std::vector<std::string>& float_nodes) {
  const std::string name = o.prefix;
  std::string text =
      "# " + package.spec.name + " as TensorFlow Lite\n\n`" + name +
      ".tflite` is the int8 network: weights int8 per channel, biases int32, values int8, input and output [n, h, w, "
      "c] "
      "in int8.\n\n```python\nimport numpy as np\nfrom ai_edge_litert.interpreter import Interpreter, "
      "OpResolverType\n\nnet = Interpreter(\"" +
      name +
      ".tflite\", experimental_op_resolver_type=OpResolverType.BUILTIN_REF)\nnet.allocate_tensors()\nknown = "
      "np.load(\"known_answers.npz\")\nx = known[\"input_int8\"][:1].transpose(0, 2, 3, "
      "1)\nnet.set_tensor(net.get_input_details()[0][\"index\"], "
      "x)\nnet.invoke()\nprint(net.get_tensor(net.get_output_details()"
      "[0][\"index\"]) - known[\"output_int8\"][:1])\n```\n\n" +
      "The input in floats, of which the integers are x / scale + zero point: " + package.input_note + "\n\n";
  if (package.floats) text += "`" + name + "_float.tflite` is the same network before quantization.\n\n";
  if (!float_nodes.empty())
    text += "In floats between DEQUANTIZE and QUANTIZE, as TensorFlow Lite has no integers that are exact: " +
            core::join(float_nodes) + ".\n\n";
  return text +
         "The reference kernels of TensorFlow Lite, and TensorFlow Lite Micro, round as the C sources do. Its "
         "optimized "
         "kernels and XNNPACK round some sums once instead of twice: a value may differ by a step. Linear layers are "
         "convolutions of one pixel, which have a scale per channel everywhere.\n\n"
         "`known_answers.npz` is [n, c, h, w]; `manifest.json` has the scales of all values and the SHA-256 of all "
         "files.\n";
}

}  // namespace

std::vector<Unsupported> tflite_unsupported(const arch::Design& design) {
  std::vector<Unsupported> refused;
  std::vector<arch::Shape> inputs;
  for (size_t i = 0; i < design.lowered.nodes.size(); ++i) {
    const arch::Node& node = design.lowered.nodes[i];
    inputs.clear();
    for (const int input : node.inputs) inputs.push_back(design.lowered_cost.node(input).shape);
    std::string why = runtime::int8_refusal(node.op, inputs);
    if (why.empty()) why = tflite_refusal(node.op, inputs, design.lowered_cost.node(static_cast<int>(i)).shape);
    if (!why.empty()) refused.push_back({node.name, std::move(why)});
  }
  refuse_16_bits(design, ", which TensorFlow Lite has for whole networks only", refused);
  return refused;
}

std::string tflite_remark(const Package& package) {
  if (!package.quant) return "";
  const std::vector<std::string> nodes = tflite_model(package.spec, package.weights, &*package.quant).float_nodes;
  if (nodes.empty()) return "";
  return "target tflite: " + core::join(nodes) + (nodes.size() == 1 ? " computes" : " compute") +
         " in floats, between DEQUANTIZE and QUANTIZE";
}

void tflite_write(const Package& package, const KnownAnswers& answers, const ExportOptions& options,
                  const std::filesystem::path& folder) {
  check_file_prefix(options.prefix);
  if (!package.quant)
    throw core::Error("the tflite target writes int8 networks; network '" + package.spec.name +
                      "' has float weights, quantize first");
  check_8_bits(package, "tflite");
  runtime::check_quantized(package.spec, package.weights, *package.quant);
  TfliteModel model = tflite_model(package.spec, package.weights, &*package.quant);
  Files files;
  files[options.prefix + ".tflite"] = std::move(model.bytes);
  if (package.floats)
    files[options.prefix + "_float.tflite"] = tflite_model(package.spec, *package.floats, nullptr).bytes;
  files["known_answers.npz"] = to_npz(answer_arrays(package, answers));
  files["README.md"] = readme(package, options, model.float_nodes);
  nlohmann::ordered_json own{
      {"model", options.prefix + ".tflite"}, {"input_layout", "nhwc"}, {"weight_layout", "ohwi"}};
  own["depthwise_layout"] = "1hwo";
  own["float_nodes"] = model.float_nodes;
  if (package.floats) own["float_model"] = options.prefix + "_float.tflite";
  files["manifest.json"] = manifest_text(package, "tflite", own, files);
  write_export_folder(folder, files);
}

}  // namespace condenser::exporters
