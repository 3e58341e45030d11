// QuantParams as JSON, and the check that a lowered Spec, its int8 weights and its scales belong together. What the
// kernels can represent beyond that is checked where the program is built.
#include "condenser/runtime/quant_params.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/seal.hpp"

namespace condenser::runtime {
namespace {

using nlohmann::json;

constexpr int kVersion = 2;  // 1 had no checksum
constexpr std::string_view kChecksumLabel = "\"checksum\": \"";
constexpr double kMinScale = 1e-30;
constexpr double kMaxScale = 1e30;

std::string text(double value) {
  std::ostringstream out;
  out.precision(17);
  out << value;
  return out.str();
}

std::string text(const std::vector<int64_t>& shape) {
  std::string result = "[";
  for (const int64_t n : shape) result += (result.size() > 1 ? ", " : "") + std::to_string(n);
  return result + "]";
}

const json& member(const json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) throw core::Error(where + ": key '" + key + "' is missing");
  return object.at(key);
}

double read_number(const json& value, const std::string& where) {
  if (!value.is_number()) throw core::Error(where + " = " + value.dump() + "; expected a number");
  return value.get<double>();
}

int read_zero_point(const json& value, const std::string& where) {
  if (!value.is_number_integer() || value < -128 || value > 127)
    throw core::Error(where + " = " + value.dump() + "; expected an integer -128..127");
  return value.get<int>();
}

int read_bits(const json& value, const std::string& where) {
  if (value != 8 && value != 16) throw core::Error(where + " = " + value.dump() + "; expected 8 or 16");
  return value.get<int>();
}

NodeQuant read_node(const json& value, const std::string& where) {
  NodeQuant node;
  node.output.scale = read_number(member(value, "scale", where), where + ".scale");
  if (value.contains("bits")) node.output.bits = read_bits(value.at("bits"), where + ".bits");
  node.output.zero_point = read_zero_point(member(value, "zero_point", where), where + ".zero_point");
  if (!value.contains("weight_scales")) return node;
  const json& scales = value.at("weight_scales");
  if (!scales.is_array()) throw core::Error(where + ".weight_scales: expected a list of numbers");
  for (const json& scale : scales) node.weight_scales.push_back(read_number(scale, where + ".weight_scales"));
  return node;
}

void check_scale(const std::string& node, const char* what, double scale) {
  if (std::isfinite(scale) && scale >= kMinScale && scale <= kMaxScale) return;
  throw arch::SpecError(
      node, std::string(what) + " " + text(scale) + "; expected " + text(kMinScale) + ".." + text(kMaxScale));
}

void check_output(const std::string& node, const TensorQuant& output) {
  check_scale(node, "output scale", output.scale);
  if (output.bits != 8 && output.bits != 16)
    throw arch::SpecError(node, std::to_string(output.bits) + " bits a value; expected 8 or 16");
  const bool fits = output.bits == 16 ? output.zero_point == 0
                                      : output.zero_point >= output.low() && output.zero_point <= output.high();
  if (fits) return;
  throw arch::SpecError(node, "zero point " + std::to_string(output.zero_point) + "; expected " +
                                  (output.bits == 16 ? "0, as it has 16 bits" : "-128..127"));
}

const arch::Tensor& find_tensor(const arch::Weights& weights, const std::string& name, arch::DType dtype,
                                const std::vector<int64_t>& shape) {
  const arch::Tensor& tensor = weights.at(name);
  if (tensor.dtype != dtype)
    throw core::Error("int8 weights: " + name + " is " + arch::to_string(tensor.dtype) + "; expected " +
                      arch::to_string(dtype) + ", quantize first");
  if (tensor.shape != shape)
    throw core::Error("int8 weights: " + name + " has shape " + text(tensor.shape) + "; expected " + text(shape));
  return tensor;
}

void check_symmetric(const std::string& name, const arch::Tensor& tensor) {
  for (const int8_t w : tensor.i8()) {
    if (w == -128) throw core::Error("int8 weights: " + name + " holds -128; expected -127..127");
  }
}

void check_bits(const std::string& name, const arch::Tensor& tensor, int bits) {
  for (const int8_t w : tensor.i8()) {
    if (bits == 4 && w % 16 != 0)
      throw core::Error("int8 weights: " + name + " holds " + std::to_string(w) +
                        "; expected multiples of 16, as its weights have 4 bits; run `condenser quantize` again");
  }
}

// Weights, bias and their scales of one convolution or linear node. Without a bias in the Spec the tensor is optional.
void check_channels(const std::string& node, const arch::Weights& weights, const NodeQuant& quant,
                    const std::vector<int64_t>& shape, bool bias, int bits, std::set<std::string>& known) {
  const std::string weight_name = node + ".weight";
  const arch::Tensor& weight = find_tensor(weights, weight_name, arch::DType::I8, shape);
  check_symmetric(weight_name, weight);
  check_bits(weight_name, weight, bits);
  known.insert(weight_name);
  const std::string bias_name = node + ".bias";
  if (bias || weights.tensors.contains(bias_name)) {
    find_tensor(weights, bias_name, arch::DType::I32, {shape[0]});
    known.insert(bias_name);
  }
  if (quant.weight_scales.size() != static_cast<size_t>(shape[0]))
    throw arch::SpecError(node, std::to_string(quant.weight_scales.size()) + " weight scales; expected " +
                                    std::to_string(shape[0]) + ", one per output channel");
  for (const double scale : quant.weight_scales) check_scale(node, "weight scale", scale);
}

// Slopes of a prelu: one scale for all.
void check_slopes(const std::string& node, const arch::Weights& weights, const NodeQuant& quant, int64_t channels,
                  std::set<std::string>& known) {
  check_symmetric(node + ".weight", find_tensor(weights, node + ".weight", arch::DType::I8, {channels}));
  known.insert(node + ".weight");
  if (quant.weight_scales.size() != 1)
    throw arch::SpecError(
        node, std::to_string(quant.weight_scales.size()) + " weight scales; expected 1 for all slopes of a prelu");
  check_scale(node, "weight scale", quant.weight_scales[0]);
}

// The factor of a scale node.
void check_factor(const std::string& node, const arch::Weights& weights, std::set<std::string>& known) {
  const std::string name = node + ".weight";
  const arch::Tensor& tensor = weights.at(name);
  if (tensor.dtype != arch::DType::F32 || tensor.shape != std::vector<int64_t>{1})
    throw core::Error("int8 weights: " + name + " is " + arch::to_string(tensor.dtype) + " " + text(tensor.shape) +
                      "; expected F32 [1], the factor as it was trained");
  if (!std::isfinite(tensor.f32()[0])) throw core::Error("int8 weights: " + name + " is NaN or infinite");
  known.insert(name);
}

// Pools and moves keep integers or average them: their output has the scale and zero point of their input.
void check_same(const arch::Spec& spec, const arch::Node& node, const QuantParams& quant) {
  const std::string& source = spec.node(node.inputs[0]).name;
  const TensorQuant& in = quant.nodes.at(source).output;
  const TensorQuant& out = quant.nodes.at(node.name).output;
  if (in == out) return;
  throw arch::SpecError(node.name, std::string(arch::op_name(node.op)) + " has scale " + text(out.scale) +
                                       ", zero point " + std::to_string(out.zero_point) + ", its input " + source +
                                       " has " + text(in.scale) + ", " + std::to_string(in.zero_point) +
                                       "; this operator keeps the parameters of its input");
}

// Where the kernel has no clamp but that of int8: the smallest integer says zero, the largest at most 6.
void check_is_range(const std::string& node, arch::Clamp clamp, const TensorQuant& output) {
  if (clamp == arch::Clamp::None || output.bits == 16) return;  // that kernel clamps
  if (output.zero_point != -128)
    throw arch::SpecError(node, "zero point " + std::to_string(output.zero_point) + " under a clamp at zero; " +
                                    "expected -128, so that int8 itself is the clamp");
  constexpr double kRounding = 1e-6;  // of 6 / 255 in single precision
  if (clamp == arch::Clamp::Relu6 && 255 * output.scale > 6 + kRounding)
    throw arch::SpecError(node, "output scale " + text(output.scale) +
                                    " under a clamp at 6; expected at most 6 / 255, " +
                                    "so that int8 itself is the clamp");
}

void check_node(const arch::Spec& spec, size_t index, const arch::Analysis& analysis, const arch::Weights& weights,
                const QuantParams& quant, std::set<std::string>& known) {
  const arch::Node& node = spec.nodes[index];
  const NodeQuant& entry = quant.nodes.at(node.name);
  const auto channels_in = [&] { return analysis.node(node.inputs[0]).shape.c; };
  arch::visit(node.op,
              arch::Overloaded{
                  [](const arch::Input&) {},
                  [&](const arch::Conv2d& op) {
                    check_channels(node.name, weights, entry,
                                   {op.out, channels_in() / op.groups, op.kernel.h, op.kernel.w}, op.bias,
                                   op.weight_bits, known);
                  },
                  [](const arch::BatchNorm&) {},  // no int8 form: refused when the program is built
                  [](const arch::Activation&) {},
                  [](const arch::Softmax&) {},
                  [&](const arch::SoftmaxMul& op) { check_is_range(node.name, op.clamp, entry.output); },
                  [&](const arch::AvgPool&) { check_same(spec, node, quant); },
                  [&](const arch::MaxPool&) { check_same(spec, node, quant); },
                  [&](const arch::GlobalAvgPool&) { check_same(spec, node, quant); },
                  [&](const arch::Linear& op) {
                    check_channels(node.name, weights, entry, {op.out, channels_in()}, op.bias, op.weight_bits, known);
                  },
                  [](const arch::Add&) {},
                  [](const arch::Mul&) {},
                  [&](const arch::PRelu&) { check_slopes(node.name, weights, entry, channels_in(), known); },
                  [&](const arch::Scale&) { check_factor(node.name, weights, known); },
                  [&](const arch::BlurPool&) { check_same(spec, node, quant); },
                  [&](const arch::Upsample&) { check_same(spec, node, quant); },
                  [](const arch::Concat&) {},
                  [&](const arch::Slice&) { check_same(spec, node, quant); },
                  [&](const arch::ChannelShuffle&) { check_same(spec, node, quant); },
              });
}

}  // namespace

std::string to_json(const QuantParams& quant) {
  json nodes = json::object();
  for (const auto& [name, node] : quant.nodes) {
    json& entry = nodes[name];
    entry["scale"] = node.output.scale;
    entry["zero_point"] = node.output.zero_point;
    if (node.output.bits != 8) entry["bits"] = node.output.bits;
    if (!node.weight_scales.empty()) entry["weight_scales"] = node.weight_scales;
  }
  // Doubles are printed with the digits that read back to the same bits.
  const json root{{"checksum", core::kUnsealed},
                  {"condenser_quant", kVersion},
                  {"weights_checksum", quant.weights_checksum},
                  {"rounding", quant.rounding},
                  {"nodes", nodes}};
  return core::sealed(root.dump(1) + "\n", kChecksumLabel);
}

QuantParams quant_from_json(const std::string& content, const std::string& name) {
  const json root = json::parse(content, nullptr, false);
  if (root.is_discarded()) throw core::Error(name + ": not JSON; expected a quant.json written by condenser quantize");
  const json& version = member(root, "condenser_quant", name);
  if (version != kVersion)
    throw core::Error(name + ": condenser_quant = " + version.dump() + "; this program reads " +
                      std::to_string(kVersion) + ". Run `condenser quantize` again");
  if (core::look_at_seal(content, kChecksumLabel).state != core::SealState::Whole)
    throw core::Error(name + ": damaged: its checksum is not that of its text; run `condenser quantize` again");
  QuantParams quant;
  const json& weights = member(root, "weights_checksum", name);
  if (!weights.is_string()) throw core::Error(name + ": weights_checksum = " + weights.dump() + "; expected a text");
  quant.weights_checksum = weights.get<std::string>();
  const json& rounding = member(root, "rounding", name);
  if (!rounding.is_string()) throw core::Error(name + ": rounding = " + rounding.dump() + "; expected a name");
  quant.rounding = rounding.get<std::string>();
  const json& nodes = member(root, "nodes", name);
  if (!nodes.is_object()) throw core::Error(name + ": nodes: expected a mapping from node names");
  for (const auto& [node, value] : nodes.items()) quant.nodes[node] = read_node(value, name + ": nodes." + node);
  return quant;
}

std::vector<bool> int16_nodes(const arch::Spec& lowered, const QuantParams& quant) {
  std::vector<bool> nodes;
  bool any = false;
  for (const arch::Node& node : lowered.nodes) {
    const auto found = quant.nodes.find(node.name);
    nodes.push_back(found != quant.nodes.end() && found->second.output.bits == 16);
    any = any || nodes.back();
  }
  return any ? nodes : std::vector<bool>{};
}

void check_quantized(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant) {
  arch::validate(lowered);
  const arch::Analysis analysis = arch::analyze(lowered);
  if (quant.rounding != "double")
    throw core::Error("rounding profile '" + quant.rounding + "'; expected 'double', the one the kernels implement");
  std::set<std::string> names;
  for (const arch::Node& node : lowered.nodes) {
    const auto found = quant.nodes.find(node.name);
    if (found == quant.nodes.end())
      throw arch::SpecError(node.name, "has no quantization; expected one for every node");
    check_output(node.name, found->second.output);
    names.insert(node.name);
  }
  for (const auto& [name, entry] : quant.nodes) {
    if (!names.contains(name))
      throw core::Error("quantization of node '" + name + "', which network '" + lowered.name + "' does not have");
  }
  std::set<std::string> known;
  for (size_t i = 0; i < lowered.nodes.size(); ++i) check_node(lowered, i, analysis, weights, quant, known);
  for (const auto& [name, tensor] : weights.tensors) {
    if (!known.contains(name))
      throw core::Error("int8 weights: " + name + " belongs to no node of network '" + lowered.name + "'");
  }
}

}  // namespace condenser::runtime
