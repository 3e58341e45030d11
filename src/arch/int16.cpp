#include "condenser/arch/int16.hpp"

#include <algorithm>
#include <array>

#include "arch/node_words.hpp"

namespace condenser::arch {
namespace {

constexpr int64_t kMaxMeanPixels = 65535;           // 32768 times that, and half of it, fit 32 bits
constexpr int64_t kTable = 2 * 256;                 // bytes: one result per int8 value
constexpr int64_t kTableByMagnitude = 2 * 2 * 353;  // results by magnitude, of each sign: cnd_activation_a16.h

template <class... Ops>
bool is(const Op& op, std::span<const Shape>) {
  return (std::holds_alternative<Ops>(op) || ...);
}

// The output may lie over an input of as many values, if that is no smaller in bytes (what a plan asks of every pair).
bool value_by_value(const Op&, const Shape& in, const Shape& out) { return in == out; }

// Lines of neighbouring values: those of a softmax over pixels lie one in the other.
bool line_by_line(const Op& op, const Shape& in, const Shape& out) {
  return in == out && std::get<SoftmaxMul>(op).axis == SoftmaxAxis::Channels;
}

// Slices and up-sampling move the bytes of a pixel, however many a value has.
constexpr const char* kC = "C";
constexpr Kernel kKernels[] = {
    {"conv2d_a16", kC, is<Conv2d, Linear>, nullptr, nullptr},
    {"activation_a16", kC, is<Activation, Scale>, value_by_value, nullptr},
    {"softmax_mul_a16", kC, is<SoftmaxMul>, line_by_line, nullptr},
    {"add_a16", kC, is<Add>, value_by_value, nullptr},
    {"mul_a16", kC, is<Mul>, value_by_value, nullptr},
    {"avg_pool_a16", kC, is<AvgPool, GlobalAvgPool>, nullptr, nullptr},
    {"max_pool_a16", kC, is<MaxPool>, nullptr, nullptr},
    {"concat_a16", kC, is<Concat>, nullptr, nullptr},
    {"upsample", kC, is<Upsample>, nullptr, nullptr},
    {"slice", kC, is<Slice>, nullptr, nullptr},
};

// Those that pass values on have the bits of their input.
void pass_on(const Spec& spec, Int16Nodes& nodes) {
  for (size_t i = 1; i < spec.nodes.size(); ++i)
    if (passes_values_on(spec.nodes[i].op)) nodes[i] = nodes[static_cast<size_t>(spec.nodes[i].inputs[0])];
}

std::vector<size_t> meant(const Spec& spec, const Analysis& analysis, std::string_view word) {
  std::vector<size_t> found;
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const bool all = word == "all" && may_be_int16(spec, analysis, static_cast<int>(i));
    const bool named = !passes_values_on(spec.nodes[i].op) && name_fits(word, spec.nodes[i].name);
    if (all || named) found.push_back(i);
  }
  return found;
}

std::string take_out(const std::string& name) { return "; take " + name + " out of quantize.int16"; }

}  // namespace

bool passes_values_on(const Op& op) {
  return std::holds_alternative<MaxPool>(op) || std::holds_alternative<AvgPool>(op) ||
         std::holds_alternative<GlobalAvgPool>(op) || std::holds_alternative<BlurPool>(op) ||
         std::holds_alternative<Upsample>(op) || std::holds_alternative<Slice>(op) ||
         std::holds_alternative<ChannelShuffle>(op);
}

Int16Nodes int16_nodes(const Spec& spec, const Analysis& analysis, const Int16Words& words) {
  if (words.empty()) return {};
  Int16Nodes nodes(spec.nodes.size(), false);
  for (const std::string& word : words)
    for (const size_t i : meant(spec, analysis, without_minus(word))) nodes[i] = !takes_out(word);
  pass_on(spec, nodes);
  return std::ranges::find(nodes, true) == nodes.end() ? Int16Nodes{} : nodes;
}

Int16Nodes int16_nodes(const Spec& spec, const Analysis& analysis, const MemoryPlan& plan) {
  Int16Nodes nodes(spec.nodes.size(), false);
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    Shape shape = analysis.nodes[i].shape;
    if (plan.strips.inner(static_cast<int>(i))) shape.h = plan.strips.most_rows(static_cast<int>(i));
    nodes[i] = plan.bytes[i] > shape.elements();
  }
  return std::ranges::find(nodes, true) == nodes.end() ? Int16Nodes{} : nodes;
}

std::string idle_int16_word(const Spec& spec, const Analysis& analysis, const Int16Words& words) {
  const auto idle = std::ranges::find_if(
      words, [&](const std::string& w) { return meant(spec, analysis, without_minus(w)).empty(); });
  return idle == words.end() ? "" : *idle;
}

std::string int16_refusal(const Spec& spec, const Analysis& analysis, const Int16Nodes& nodes, int id) {
  if (!meets_int16(spec, nodes, id)) return "";
  const Node& node = spec.node(id);
  if (node.inputs.empty()) return "values of 16 bits as the input of the network, which has 8" + take_out(node.name);
  const auto wide = std::ranges::find_if(node.inputs, [&](int k) { return is_int16(nodes, k); });
  const std::string& chosen = wide == node.inputs.end() ? node.name : spec.node(*wide).name;
  const int first = node.inputs[0];
  if (is_int16(nodes, id) && spec.is_output(id))
    return "values of 16 bits as an output of the network, which has 8" + take_out(chosen);
  if (choose_kernel(spec, analysis, nodes, id) == nullptr)
    return std::string("no kernel of ") + op_name(node.op) + " reads or writes values of 16 bits" + take_out(chosen);
  if (passes_values_on(node.op) && is_int16(nodes, first) != is_int16(nodes, id))
    return std::string(op_name(node.op)) + " has not the bits of its input " + spec.node(first).name;
  if (weight_bits(node.op) == 4)
    return "weights of 4 bits beside values of 16" + take_out(chosen) + ", or " + node.name + " out of quantize.int4";
  if (std::holds_alternative<SoftmaxMul>(node.op) && is_int16(nodes, first))
    return "a softmax of values of 16 bits; its table of exponentials has one for each of 8 bits" + take_out(chosen);
  const Shape& in = analysis.node(first).shape;
  if (std::holds_alternative<GlobalAvgPool>(node.op) && in.h * in.w > kMaxMeanPixels)
    return "a mean over more than 65,535 pixels of 16 bits" + take_out(chosen);
  return "";
}

bool may_be_int16(const Spec& spec, const Analysis& analysis, int id) {
  if (spec.node(id).inputs.empty() || passes_values_on(spec.node(id).op)) return false;
  Int16Nodes nodes(spec.nodes.size(), false);
  nodes[static_cast<size_t>(id)] = true;
  pass_on(spec, nodes);
  for (int i = id; i < static_cast<int>(spec.nodes.size()); ++i)
    if (!int16_refusal(spec, analysis, nodes, i).empty()) return false;
  return true;
}

bool meets_int16(const Spec& spec, const Int16Nodes& nodes, int id) {
  return is_int16(nodes, id) ||
         std::ranges::any_of(spec.node(id).inputs, [&](int input) { return is_int16(nodes, input); });
}

const Kernel* choose_kernel(const Spec& spec, const Analysis& analysis, const Int16Nodes& nodes, int id) {
  const Node& node = spec.node(id);
  std::array<Shape, kMaxInputs> shapes;
  for (size_t k = 0; k < node.inputs.size(); ++k) shapes[k] = analysis.node(node.inputs[k]).shape;
  const std::span<const Shape> in(shapes.data(), node.inputs.size());
  if (!meets_int16(spec, nodes, id)) return choose_kernel(node.op, in);
  const auto row = std::ranges::find_if(kKernels, [&](const Kernel& kernel) { return kernel.fits(node.op, in); });
  return row == std::end(kKernels) ? nullptr : row;
}

void count_int16_constants(const Spec& spec, const Int16Nodes& nodes, Analysis& analysis) {
  if (nodes.empty()) return;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    const bool function = std::holds_alternative<Activation>(node.op) || std::holds_alternative<Scale>(node.op);
    if (!function || !meets_int16(spec, nodes, static_cast<int>(i))) continue;
    const int64_t bytes = is_int16(nodes, node.inputs[0]) ? kTableByMagnitude : kTable;
    analysis.constant_bytes += bytes - analysis.nodes[i].constant_bytes;
    analysis.nodes[i].constant_bytes = bytes;
  }
}

}  // namespace condenser::arch
