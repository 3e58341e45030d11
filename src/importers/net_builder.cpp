// Nodes, names and weights of what is imported, and the int8 form of the whole.
#include "importers/net_builder.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/arch/passes.hpp"
#include "condenser/core/text.hpp"

namespace condenser::importers {
namespace {

using arch::DType;
using runtime::TensorQuant;

// Kernels of these give their output the scale of their input.
bool keeps_scale(const arch::Op& op) {
  return std::holds_alternative<arch::MaxPool>(op) || std::holds_alternative<arch::AvgPool>(op) ||
         std::holds_alternative<arch::GlobalAvgPool>(op) || std::holds_alternative<arch::BlurPool>(op) ||
         std::holds_alternative<arch::Upsample>(op) || std::holds_alternative<arch::Slice>(op) ||
         std::holds_alternative<arch::ChannelShuffle>(op);
}

bool is_clamp(const arch::Op& op) {
  const auto* activation = std::get_if<arch::Activation>(&op);
  return activation != nullptr &&
         (activation->kind == arch::ActivationKind::Relu || activation->kind == arch::ActivationKind::Relu6);
}

arch::Clamp clamp_of(const arch::Op& op) {
  if (const auto* conv = std::get_if<arch::Conv2d>(&op)) return conv->clamp;
  if (const auto* linear = std::get_if<arch::Linear>(&op)) return linear->clamp;
  if (const auto* add = std::get_if<arch::Add>(&op)) return add->clamp;
  if (const auto* product = std::get_if<arch::SoftmaxMul>(&op)) return product->clamp;
  return arch::Clamp::None;
}

double scale_at(const std::vector<double>& scales, size_t channel) {
  return scales.size() == 1 ? scales[0] : scales.at(channel);
}

// A bias in units of input scale * weight scale.
arch::Tensor bias_tensor(const std::string& node, const Integers& integers, const arch::Tensor* floats,
                         double input_scale, size_t channels) {
  arch::Tensor tensor = arch::make_tensor(DType::I32, {static_cast<int64_t>(channels)});
  const auto out = tensor.i32();
  for (size_t c = 0; c < channels; ++c) {
    const double unit = input_scale * scale_at(integers.weight_scales, c);
    double value = 0;
    if (!integers.bias.empty()) {
      const double ratio = scale_at(integers.bias_scales, c) / unit;
      value = integers.bias[c] * (std::abs(ratio - 1) < 1e-5 ? 1.0 : ratio);  // 1: written in single precision
    } else if (floats != nullptr) {
      value = floats->f32()[c] / unit;
    }
    value = std::round(value);
    if (!(std::abs(value) <= 2147483647.0))
      throw arch::SpecError(node, "bias " + core::number(value) + " of channel " + std::to_string(c) +
                                      " in units of input scale * weight scale; expected one of 32 bits");
    out[c] = static_cast<int32_t>(value);
  }
  return tensor;
}

arch::Tensor integer_tensor(const std::vector<int64_t>& shape, const std::vector<int8_t>& values) {
  arch::Tensor tensor = arch::make_tensor(DType::I8, shape);
  std::ranges::copy(values, tensor.i8().begin());
  return tensor;
}

}  // namespace

NetBuilder::NetBuilder(std::string name, arch::Shape input) : name_(std::move(name)), input_(input) {
  nodes_.push_back({"input", arch::Input{}, {}});
  shapes_.push_back(input);
  names_.insert("input");
}

// Lower case, what is no letter or digit as one '_', without those at the ends; numbered where it is taken.
std::string NetBuilder::legal(const std::string& name) {
  std::string text;
  for (const char c : name.substr(0, 100)) {
    const bool upper = c >= 'A' && c <= 'Z', word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper) text += static_cast<char>(c - 'A' + 'a');
    if (word) text += c;
    if (!upper && !word && !text.empty() && text.back() != '_') text += '_';
  }
  while (!text.empty() && text.back() == '_') text.pop_back();
  if (text.empty() || text[0] < 'a') text = "n" + text;
  std::string unique = text;
  for (int k = 2; !names_.insert(unique).second; ++k) unique = text + "_" + std::to_string(k);
  return unique;
}

int NetBuilder::add(const std::string& name, const arch::Op& op, const arch::Inputs& inputs) {
  if (nodes_.size() >= static_cast<size_t>(arch::kMaxNodes))
    throw arch::SpecError("", "more than " + std::to_string(arch::kMaxNodes) + " nodes");
  std::vector<arch::Shape> shapes;
  for (const int id : inputs) shapes.push_back(shape(id));
  arch::Node node{legal(name), op, inputs};
  const arch::Shape out = arch::node_cost(node.name, op, std::span<const arch::Shape>(shapes)).shape;
  nodes_.push_back(std::move(node));
  shapes_.push_back(out);
  return static_cast<int>(nodes_.size()) - 1;
}

void NetBuilder::put(int id, const char* param, std::vector<int64_t> shape, std::vector<float> values) {
  weights_.tensors.insert_or_assign(node(id).name + "." + param, arch::make_f32(std::move(shape), values));
}

bool NetBuilder::has(int id, const char* param) const { return weights_.tensors.contains(node(id).name + "." + param); }

void NetBuilder::note(std::string text) {
  if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(std::move(text));
}

std::optional<TensorQuant> NetBuilder::quant(int id) const {
  const auto found = quants_.find(node(id).name);
  return found == quants_.end() ? std::nullopt : std::optional(found->second);
}

// The mean and the change of scales in one rounding: a depthwise convolution whose weights are all alike.
void NetBuilder::mean_as_convolution(int id) {
  arch::Node& mean = node(id);
  const arch::Shape in = shape(mean.inputs[0]);
  arch::Conv2d conv{.out = static_cast<int>(in.c), .groups = static_cast<int>(in.c)};
  if (const auto* pool = std::get_if<arch::AvgPool>(&mean.op)) {
    conv.kernel = pool->kernel;
    conv.stride = pool->stride;
  } else {
    conv.kernel = {static_cast<int>(in.h), static_cast<int>(in.w)};
    conv.stride = conv.kernel;
  }
  mean.op = conv;
  const int64_t pixels = int64_t{conv.kernel.h} * conv.kernel.w;
  const auto count = static_cast<size_t>(in.c * pixels);
  put(id, "weight", {in.c, 1, conv.kernel.h, conv.kernel.w},
      std::vector<float>(count, static_cast<float>(1.0 / static_cast<double>(pixels))));
  integers(id) = {.weight = std::vector<int8_t>(count, 1), .weight_scales = {1.0 / static_cast<double>(pixels)}};
  note(
      "means whose output has a scale of its own are depthwise convolutions with equal weights: the mean and the "
      "change of scales are one rounding");
}

int NetBuilder::quantize(int id, const TensorQuant& output) {
  const auto there = quant(id);
  if (there == output) return id;
  if (!there && !(keeps_scale(node(id).op) && quant(node(id).inputs[0]) != output)) {
    quants_[node(id).name] = output;
    return id;
  }
  const auto* pool = std::get_if<arch::AvgPool>(&node(id).op);
  const bool mean =
      pool != nullptr ? pool->pad == arch::Pad{} : std::holds_alternative<arch::GlobalAvgPool>(node(id).op);
  const arch::Shape& in = shape(node(id).inputs.empty() ? id : node(id).inputs[0]);
  if (!there && mean && in.h <= arch::kMaxWindow && in.w <= arch::kMaxWindow) {
    mean_as_convolution(id);
    quants_[node(id).name] = output;
    return id;
  }
  if (!there) {
    const auto input = quant(node(id).inputs[0]);
    if (!input)
      throw arch::SpecError(node(node(id).inputs[0]).name,
                            "its values are not quantized; " + node(id).name + " reads them");
    quants_[node(id).name] = *input;
  }
  const int changed = add(node(id).name + "_rescale", arch::Scale{}, {id});
  put(changed, "weight", {1}, {1.0F});
  quants_[node(changed).name] = output;
  note("where a value is stored in two scales, a scale node of factor 1 goes from one to the other");
  return changed;
}

// Without the nodes that lead to no output. Weights go with them.
arch::Spec NetBuilder::live_spec(const std::vector<int>& outputs) {
  arch::Spec all{name_, input_, nodes_, {}};
  if (outputs.empty() || nodes_.size() < 2 || std::ranges::find(outputs, 0) != outputs.end())
    throw arch::SpecError("", "the output is the input; expected operators between them");
  all.outputs = outputs;
  const arch::Liveness live = arch::live_nodes(all);
  std::vector<int> place(nodes_.size(), -1);
  arch::Spec spec{name_, input_, {}, {}};
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!live[i]) {
      for (const char* param : {"weight", "bias", "running_mean", "running_var"})
        weights_.tensors.erase(nodes_[i].name + "." + param);
      continue;
    }
    place[i] = static_cast<int>(spec.nodes.size());
    arch::Node node = nodes_[i];
    for (int& input : node.inputs) input = place[static_cast<size_t>(input)];
    spec.nodes.push_back(std::move(node));
  }
  std::vector<int> ids;
  for (const int id : outputs) ids.push_back(place[static_cast<size_t>(id)]);
  arch::set_outputs(spec, ids);
  return spec;
}

Imported NetBuilder::finish(const std::vector<int>& outputs, bool int8) {
  arch::Spec spec = live_spec(outputs);
  arch::validate(spec);
  arch::analyze(spec);
  arch::check_weights(spec, weights_);
  Imported result{
      .spec = spec, .weights = weights_, .int8 = std::nullopt, .input_name = "", .input_axes = "", .notes = {}};
  if (int8) result.int8 = int8_form(spec, weights_);
  result.notes = notes_;
  return result;
}

// Scales go to the nodes that remain after lowering: a clamp that moves into its producer takes its scale along.
Int8Form NetBuilder::int8_form(const arch::Spec& spec, const arch::Weights& floats) {
  const auto readers = arch::consumers(spec);
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const arch::Node& node = spec.nodes[i];
    if (quants_.contains(node.name) || node.inputs.empty()) continue;
    const auto input = quants_.find(spec.node(node.inputs[0]).name);
    if (input != quants_.end() && (keeps_scale(node.op) || is_clamp(node.op))) quants_[node.name] = input->second;
  }
  arch::Weights lowered_floats = floats;
  const arch::Spec lowered = arch::lower(spec, &lowered_floats);
  Int8Form form;
  for (const arch::Node& node : lowered.nodes) {
    std::string source = node.name;
    if (clamp_of(node.op) != arch::Clamp::None) {
      for (int id = arch::find_node(spec, source); readers[static_cast<size_t>(id)].size() == 1;) {
        id = readers[static_cast<size_t>(id)][0];
        if (!is_clamp(spec.node(id).op)) break;
        if (quants_.contains(spec.node(id).name)) source = spec.node(id).name;
      }
      if (source != node.name && quants_.contains(node.name) && quants_.at(node.name) != quants_.at(source))
        note("node " + node.name + " and the clamp behind it are rounded once, to the scale of the clamp");
    }
    const auto found = quants_.find(source);
    if (found == quants_.end())
      throw arch::SpecError(node.name, std::string(arch::op_name(node.op)) +
                                           ": its output has no scale and zero point; expected every value of an int8 "
                                           "network to be quantized");
    form.quant.nodes[node.name].output = found->second;
  }
  const arch::Analysis analysis = arch::analyze(lowered);
  for (const arch::Node& node : lowered.nodes) {
    const std::string weight = node.name + ".weight", bias = node.name + ".bias";
    const auto tensor = lowered_floats.tensors.find(weight);
    if (tensor == lowered_floats.tensors.end()) continue;
    if (std::holds_alternative<arch::Scale>(node.op)) {
      form.weights.tensors[weight] = tensor->second;
      continue;
    }
    const auto found = integers_.find(node.name);
    if (found == integers_.end())
      throw arch::SpecError(node.name, std::string(arch::op_name(node.op)) +
                                           ": its weights are floats; expected integers with a scale, as everywhere in "
                                           "an int8 network (batch norms folded before quantization)");
    const Integers& integers = found->second;
    form.weights.tensors[weight] = integer_tensor(tensor->second.shape, integers.weight);
    const auto channels = static_cast<size_t>(tensor->second.shape[0]);
    std::vector<double>& scales = form.quant.nodes[node.name].weight_scales;
    if (std::holds_alternative<arch::PRelu>(node.op)) {
      scales = {integers.weight_scales.at(0)};
      continue;
    }
    for (size_t c = 0; c < channels; ++c) scales.push_back(scale_at(integers.weight_scales, c));
    const auto floats_of_bias = lowered_floats.tensors.find(bias);
    const double input_scale = form.quant.nodes.at(lowered.node(node.inputs[0]).name).output.scale;
    if (floats_of_bias != lowered_floats.tensors.end())
      form.weights.tensors[bias] = bias_tensor(node.name, integers, &floats_of_bias->second, input_scale, channels);
  }
  runtime::check_quantized(lowered, form.weights, form.quant);
  return form;
}

}  // namespace condenser::importers
