// Shape inference and counts. The one place that says what an operator does to a shape and what it costs.

#include "condenser/arch/analysis.hpp"

#include <cmath>
#include <limits>

namespace condenser::arch {
namespace {

std::string shapes_differ(const Shape& a, const Shape& b) {
  return "shapes " + to_string(a) + " and " + to_string(b) + " differ; expected equal shapes";
}

int64_t window_extent(const std::string& name, const char* axis, int64_t in, int kernel, int stride, int before,
                      int after) {
  const int64_t out = window_out(in, kernel, stride, before, after);
  if (out < 1)
    throw SpecError(name, std::string("kernel ") + axis + " " + std::to_string(kernel) +
                              " is larger than the padded input, " + std::to_string(in + before + after) +
                              "; use a larger input or fewer strides");
  return out;
}

template <class Window>
Shape slide(const std::string& name, const Window& w, int64_t channels, const Shape& in) {
  const int64_t h = window_extent(name, "height", in.h, w.kernel.h, w.stride.h, w.pad.top, w.pad.bottom);
  return {channels, h, window_extent(name, "width", in.w, w.kernel.w, w.stride.w, w.pad.left, w.pad.right)};
}

int64_t conv_weights(const Conv2d& conv, const Shape& in) {
  return int64_t{conv.out} * (in.c / conv.groups) * conv.kernel.h * conv.kernel.w;
}

void check_weights_limit(const std::string& name, int64_t weights) {
  if (weights > kMaxElements)
    throw SpecError(name, std::to_string(weights) + " weights; expected at most " + std::to_string(kMaxElements));
}

Shape conv_shape(const std::string& name, const Conv2d& conv, const Shape& in) {
  if (in.c % conv.groups != 0 || conv.out % conv.groups != 0)
    throw SpecError(name, std::to_string(in.c) + " channels in, " + std::to_string(conv.out) + " out, groups " +
                              std::to_string(conv.groups) + "; channels must be multiples of groups");
  check_weights_limit(name, conv_weights(conv, in));
  return slide(name, conv, conv.out, in);
}

Shape linear_shape(const std::string& name, const Linear& linear, const Shape& in) {
  if (in.h != 1 || in.w != 1)
    throw SpecError(name, "linear reads " + to_string(in) + "; expected Cx1x1, pool the map first");
  check_weights_limit(name, linear.out * in.c);
  return {linear.out, 1, 1};
}

Shape same_shape(const std::string& name, const std::vector<Shape>& inputs) {
  if (inputs[0] != inputs[1]) throw SpecError(name, shapes_differ(inputs[0], inputs[1]));
  return inputs[0];
}

int64_t trainable(const Op& op, const std::vector<Shape>& inputs) {
  return std::visit(Overloaded{
                        [](const Input&) { return int64_t{0}; },
                        [&](const Conv2d& conv) { return conv_weights(conv, inputs[0]) + (conv.bias ? conv.out : 0); },
                        [&](const BatchNorm&) { return 2 * inputs[0].c; },
                        [](const Activation&) { return int64_t{0}; },
                        [](const Softmax&) { return int64_t{0}; },
                        [](const SoftmaxMul&) { return int64_t{0}; },
                        [](const AvgPool&) { return int64_t{0}; },
                        [](const MaxPool&) { return int64_t{0}; },
                        [](const GlobalAvgPool&) { return int64_t{0}; },
                        [&](const Linear& linear) { return linear.out * inputs[0].c + (linear.bias ? linear.out : 0); },
                        [](const Add&) { return int64_t{0}; },
                        [](const Mul&) { return int64_t{0}; },
                    },
                    op);
}

int64_t multiply_accumulates(const Op& op, const std::vector<Shape>& inputs, const Shape& out) {
  return std::visit(Overloaded{
                        [](const Input&) { return int64_t{0}; },
                        [&](const Conv2d& conv) { return conv_weights(conv, inputs[0]) * out.h * out.w; },
                        [](const BatchNorm&) { return int64_t{0}; },
                        [](const Activation&) { return int64_t{0}; },
                        [](const Softmax&) { return int64_t{0}; },
                        [](const SoftmaxMul&) { return int64_t{0}; },
                        [](const AvgPool&) { return int64_t{0}; },
                        [](const MaxPool&) { return int64_t{0}; },
                        [](const GlobalAvgPool&) { return int64_t{0}; },
                        [&](const Linear& linear) { return linear.out * inputs[0].c; },
                        [](const Add&) { return int64_t{0}; },
                        [](const Mul&) { return int64_t{0}; },
                    },
                    op);
}

// Sums of foreign Specs are checked: the limits bound one node, not ten thousand of them.
void accumulate(const std::string& node, const char* what, int64_t value, int64_t& total) {
  if (value > std::numeric_limits<int64_t>::max() - total)
    throw SpecError(node, std::string("the sum of ") + what + " exceeds 64 bits; the network is not sensible");
  total += value;
}

}  // namespace

Shape infer_shape(const std::string& name, const Op& op, const std::vector<Shape>& inputs) {
  if (static_cast<int>(inputs.size()) != input_count(op))
    throw SpecError(name, std::to_string(inputs.size()) + " inputs for " + op_name(op) + "; expected " +
                              std::to_string(input_count(op)));
  const Shape out =
      std::visit(Overloaded{
                     [&](const Input&) -> Shape { throw SpecError(name, "the input's shape is the Spec's"); },
                     [&](const Conv2d& conv) { return conv_shape(name, conv, inputs[0]); },
                     [&](const BatchNorm&) { return inputs[0]; },
                     [&](const Activation&) { return inputs[0]; },
                     [&](const Softmax&) { return inputs[0]; },
                     [&](const SoftmaxMul&) { return same_shape(name, inputs); },
                     [&](const AvgPool& pool) { return slide(name, pool, inputs[0].c, inputs[0]); },
                     [&](const MaxPool& pool) { return slide(name, pool, inputs[0].c, inputs[0]); },
                     [&](const GlobalAvgPool&) {
                       return Shape{inputs[0].c, 1, 1};
                     },
                     [&](const Linear& linear) { return linear_shape(name, linear, inputs[0]); },
                     [&](const Add&) { return same_shape(name, inputs); },
                     [&](const Mul&) { return same_shape(name, inputs); },
                 },
                 op);
  if (out.elements() > kMaxElements)
    throw SpecError(name, "output " + to_string(out) + " has more than " + std::to_string(kMaxElements) + " values");
  return out;
}

int64_t int8_constant_bytes(const Op& op, const std::vector<Shape>& inputs) {
  constexpr int64_t kPerChannel = 4 + 4 + 1;  // bias, multiplier, shift
  return std::visit(Overloaded{
                        [](const Input&) { return int64_t{0}; },
                        [&](const Conv2d& conv) { return conv_weights(conv, inputs[0]) + kPerChannel * conv.out; },
                        [](const BatchNorm&) { return int64_t{0}; },
                        [](const Activation&) { return int64_t{256}; },
                        [](const Softmax&) { return int64_t{0}; },
                        [](const SoftmaxMul&) { return int64_t{256 * 2}; },
                        [](const AvgPool&) { return int64_t{0}; },
                        [](const MaxPool&) { return int64_t{0}; },
                        [](const GlobalAvgPool&) { return int64_t{0}; },
                        [&](const Linear& linear) { return linear.out * inputs[0].c + kPerChannel * linear.out; },
                        [](const Add&) { return int64_t{0}; },
                        [](const Mul&) { return int64_t{0}; },
                    },
                    op);
}

Analysis analyze(const Spec& spec) {
  validate(spec);
  Analysis result;
  result.nodes.reserve(spec.nodes.size());
  for (const Node& node : spec.nodes) {
    NodeCost cost;
    std::vector<Shape> inputs;
    for (int input : node.inputs) inputs.push_back(result.nodes[static_cast<size_t>(input)].shape);
    cost.shape = inputs.empty() ? spec.input : infer_shape(node.name, node.op, inputs);
    cost.params = trainable(node.op, inputs);
    cost.macs = multiply_accumulates(node.op, inputs, cost.shape);
    cost.constant_bytes = int8_constant_bytes(node.op, inputs);
    accumulate(node.name, "parameters", cost.params, result.params);
    accumulate(node.name, "multiply-accumulates", cost.macs, result.macs);
    accumulate(node.name, "constant bytes", cost.constant_bytes, result.constant_bytes);
    result.nodes.push_back(cost);
  }
  return result;
}

double netscore(double accuracy_percent, int64_t params, int64_t macs) {
  const double millions = static_cast<double>(params) / 1e6;
  const double billions = static_cast<double>(macs) / 1e9;
  return 20.0 * std::log10(accuracy_percent * accuracy_percent / std::sqrt(millions * billions));
}

}  // namespace condenser::arch
