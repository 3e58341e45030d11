// The ONNX target: what it refuses, and its files.
#include "exporters/onnx.hpp"

#include <nlohmann/json.hpp>

#include "condenser/core/text.hpp"
#include "condenser/runtime/int8_program.hpp"
#include "exporters/answers.hpp"
#include "exporters/eight_bits.hpp"
#include "exporters/export_folder.hpp"
#include "exporters/npz.hpp"

namespace condenser::exporters {
namespace {

std::string why_not(const arch::Op& op, const std::vector<arch::Shape>& inputs) {
  const std::string why = runtime::int8_refusal(op, inputs);
  if (!why.empty()) return why;
  if (const auto* up = std::get_if<arch::Upsample>(&op); up && (up->size.h % inputs[0].h || up->size.w % inputs[0].w))
    return "upsampling by a factor that is no whole number, which ONNX rounds in its own way";
  return "";
}

std::string readme(const Package& package, const ExportOptions& o) {
  const std::string name = o.prefix, type = o.activations;
  std::string text =
      "# " + package.spec.name + " as ONNX\n\nOpset 13, IR 7. `" + name +
      ".onnx` is the int8 network: weights int8 per channel, " + "values " + type +
      ", biases int32, in the form QDQ. Input and output are floats.\n\n```python\nimport numpy as np\n" +
      "import onnxruntime as ort\n\nsession = ort.InferenceSession(\"" + name +
      ".onnx\")\nknown = np.load(\"known_answers.npz\")\n" +
      "print(session.run(None, {\"input\": known[\"input\"]})[0] - known[\"output\"])  # zero, or a few steps of "
      "rounding\n```\n\n" +
      "The input is [n, c, h, w] in floats: " + package.input_note + "\n\n";
  if (package.floats) text += "`" + name + "_float.onnx` is the same network before quantization.\n\n";
  return text +
         "ONNX Runtime rounds a product of scales in single precision and half to even, the C sources in fixed point: "
         "a value may differ " +
         "by one step, most often behind sums. With `" + type + "` " +
         (type == "uint8" ? "its int8 kernels for x86 run; ask for export.activations=int8 where a runtime wants that."
                          : "its kernels for x86 need the session option session.qdqisint8allowed, and are slower than "
                            "those of uint8.") +
         "\n\n`manifest.json` has the scales of all values and the SHA-256 of all files.\n";
}

}  // namespace

std::vector<Unsupported> onnx_unsupported(const arch::Design& design) {
  std::vector<Unsupported> refused;
  std::vector<arch::Shape> inputs;
  for (const arch::Node& node : design.lowered.nodes) {
    inputs.clear();
    for (const int input : node.inputs) inputs.push_back(design.lowered_cost.node(input).shape);
    std::string why = why_not(node.op, inputs);
    if (!why.empty()) refused.push_back({node.name, std::move(why)});
  }
  refuse_16_bits(design, ", which this target's opset 13 has no type for", refused);
  return refused;
}

void onnx_write(const Package& package, const KnownAnswers& answers, const ExportOptions& options,
                const std::filesystem::path& folder) {
  check_file_prefix(options.prefix);
  if (!package.quant)
    throw core::Error("the onnx target writes int8 networks; network '" + package.spec.name +
                      "' has float weights, quantize first");
  check_8_bits(package, "onnx");
  runtime::check_quantized(package.spec, package.weights, *package.quant);
  if (options.activations != "int8" && options.activations != "uint8")
    throw core::ConfigError("export activations '" + core::printable(options.activations) +
                            "'; expected int8 or uint8");
  Files files;
  files[options.prefix + ".onnx"] = onnx_model(package.spec, package.weights, &*package.quant, options.activations);
  if (package.floats) files[options.prefix + "_float.onnx"] = onnx_model(package.spec, *package.floats, nullptr, "");
  for (const auto& [name, content] : files) check_onnx(content);
  files["known_answers.npz"] = to_npz(answer_arrays(package, answers));
  files["README.md"] = readme(package, options);
  nlohmann::ordered_json own{{"model", options.prefix + ".onnx"},
                             {"opset", 13},
                             {"activations", options.activations},
                             {"input_layout", "nchw"},
                             {"weight_layout", "oihw"}};
  if (package.floats) own["float_model"] = options.prefix + "_float.onnx";
  files["manifest.json"] = manifest_text(package, "onnx", own, files);
  write_export_folder(folder, files);
}

}  // namespace condenser::exporters
