// Shape inference and counts. The one place that says what an operator does to a shape and what it costs.

#include "condenser/arch/analysis.hpp"

#include <array>
#include <cmath>

#include "arch/node_check.hpp"

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

Shape same_shape(const std::string& name, std::span<const Shape> inputs) {
  if (inputs[0] != inputs[1]) throw SpecError(name, shapes_differ(inputs[0], inputs[1]));
  return inputs[0];
}

Shape product_shape(const std::string& name, std::span<const Shape> in) {
  const auto scalar_per_channel = [](const Shape& s) { return s.h == 1 && s.w == 1; };
  if (in[0] == in[1] || (in[0].c == in[1].c && scalar_per_channel(in[1]))) return in[0];
  if (in[0].c == in[1].c && scalar_per_channel(in[0])) return in[1];
  throw SpecError(name, "shapes " + to_string(in[0]) + " and " + to_string(in[1]) +
                            " differ; expected equal shapes, or Cx1x1 for one of them");
}

Shape blur_shape(const std::string& name, const BlurPool& pool, const Shape& in) {
  const int half = pool.taps / 2;
  if (in.h <= half || in.w <= half)
    throw SpecError(name, "blur of " + std::to_string(pool.taps) + " taps on " + to_string(in) +
                              "; expected a map of " + std::to_string(half + 1) + "x" + std::to_string(half + 1) +
                              " or more to mirror");
  return {in.c, window_out(in.h, pool.taps, pool.stride.h, half, half),
          window_out(in.w, pool.taps, pool.stride.w, half, half)};
}

Shape upsample_shape(const std::string& name, const Upsample& up, const Shape& in) {
  if (up.size.h < in.h || up.size.w < in.w)
    throw SpecError(name, "up-sampling " + to_string(in) + " to " + std::to_string(up.size.h) + "x" +
                              std::to_string(up.size.w) + "; expected a size not below the input's");
  return {in.c, up.size.h, up.size.w};
}

Shape concat_shape(const std::string& name, std::span<const Shape> in) {
  Shape out = in[0];
  for (const Shape& next : in.subspan(1)) {
    if (next.h != out.h || next.w != out.w)
      throw SpecError(
          name, "maps " + to_string(in[0]) + " and " + to_string(next) + " differ; expected equal height and width");
    out.c += next.c;
  }
  if (out.c > kMaxChannels)
    throw SpecError(name, std::to_string(out.c) + " channels; expected at most " + std::to_string(kMaxChannels));
  return out;
}

Shape slice_shape(const std::string& name, const Slice& slice, const Shape& in) {
  if (int64_t{slice.begin} + slice.count > in.c)
    throw SpecError(name, "channels " + std::to_string(slice.begin) + ".." +
                              std::to_string(int64_t{slice.begin} + slice.count - 1) + " of " + std::to_string(in.c) +
                              "; expected a range inside the input");
  return {slice.count, in.h, in.w};
}

Shape shuffle_shape(const std::string& name, const ChannelShuffle& shuffle, const Shape& in) {
  if (in.c % shuffle.groups != 0)
    throw SpecError(name, std::to_string(in.c) + " channels, groups " + std::to_string(shuffle.groups) +
                              "; channels must be a multiple of groups");
  return in;
}

// What changes nothing in size and costs nothing in the convention of these counts.
NodeCost free_of_cost(const Shape& shape) { return {.shape = shape}; }

constexpr int64_t kPerChannel = 4 + 4 + 1;  // bias, multiplier, shift
constexpr int64_t kTable = 256;             // one result per int8 value

// Bytes. Of 4 bits, two channels share a byte: neighbours of the whole layer where it is depthwise, else of a group.
int64_t packed_weights(const Conv2d& conv, const Shape& in) {
  const int64_t weights = conv_weights(conv, in), depth = weights / conv.out;
  if (conv.weight_bits == 8) return weights;
  const int64_t groups = in.c > 1 && depthwise(conv, in) ? 1 : conv.groups;
  return groups * ((conv.out / groups + 1) / 2) * depth;
}

NodeCost conv_cost(const std::string& name, const Conv2d& conv, const Shape& in) {
  const Shape out = conv_shape(name, conv, in);
  const int64_t weights = conv_weights(conv, in);
  return {out, weights + (conv.bias ? conv.out : 0), weights * out.h * out.w,
          packed_weights(conv, in) + kPerChannel * conv.out};
}

NodeCost linear_cost(const std::string& name, const Linear& linear, const Shape& in) {
  const int64_t weights = linear.out * in.c;
  return {linear_shape(name, linear, in), weights + (linear.bias ? linear.out : 0), weights,
          (linear.weight_bits == 4 ? (linear.out + 1) / 2 * in.c : weights) + kPerChannel * linear.out};
}

NodeCost blur_cost(const std::string& name, const BlurPool& pool, const Shape& in) {
  const Shape out = blur_shape(name, pool, in);
  return {.shape = out, .macs = int64_t{pool.taps} * pool.taps * out.elements()};
}

// Sums of foreign Specs are checked: the limits bound one node, not ten thousand of them.
[[noreturn, gnu::cold, gnu::noinline]] void sum_too_large(const std::string& node, const char* what) {
  throw SpecError(node, std::string("the sum of ") + what + " exceeds 64 bits; the network is not sensible");
}

inline void accumulate(const std::string& node, const char* what, int64_t value, int64_t& total) {
  if (__builtin_add_overflow(total, value, &total)) sum_too_large(node, what);
}

NodeCost cost_of(const std::string& name, const Op& op, std::span<const Shape> in) {
  const NodeCost cost = arch::visit(
      op, Overloaded{
              [&](const Input&) -> NodeCost { throw SpecError(name, "the input's shape is the Spec's"); },
              [&](const Conv2d& conv) { return conv_cost(name, conv, in[0]); },
              [&](const BatchNorm&) { return NodeCost{.shape = in[0], .params = 2 * in[0].c}; },
              [&](const Activation&) { return NodeCost{.shape = in[0], .constant_bytes = kTable}; },
              [&](const Softmax&) { return free_of_cost(in[0]); },
              [&](const SoftmaxMul&) { return NodeCost{.shape = same_shape(name, in), .constant_bytes = 2 * kTable}; },
              [&](const AvgPool& pool) { return free_of_cost(slide(name, pool, in[0].c, in[0])); },
              [&](const MaxPool& pool) { return free_of_cost(slide(name, pool, in[0].c, in[0])); },
              [&](const GlobalAvgPool&) {
                return free_of_cost({in[0].c, 1, 1});
              },
              [&](const Linear& linear) { return linear_cost(name, linear, in[0]); },
              [&](const Add&) { return free_of_cost(same_shape(name, in)); },
              [&](const Mul&) { return free_of_cost(product_shape(name, in)); },
              [&](const PRelu&) { return NodeCost{.shape = in[0], .params = in[0].c, .constant_bytes = in[0].c}; },
              [&](const Scale&) { return NodeCost{.shape = in[0], .params = 1, .constant_bytes = kTable}; },
              [&](const BlurPool& pool) { return blur_cost(name, pool, in[0]); },
              [&](const Upsample& up) { return free_of_cost(upsample_shape(name, up, in[0])); },
              [&](const Concat&) { return free_of_cost(concat_shape(name, in)); },
              [&](const Slice& slice) { return free_of_cost(slice_shape(name, slice, in[0])); },
              [&](const ChannelShuffle& shuffle) { return free_of_cost(shuffle_shape(name, shuffle, in[0])); },
          });
  if (cost.shape.elements() > kMaxElements)
    throw SpecError(name,
                    "output " + to_string(cost.shape) + " has more than " + std::to_string(kMaxElements) + " values");
  return cost;
}

}  // namespace

NodeCost node_cost(const std::string& name, const Op& op, std::span<const Shape> in) {
  check_input_count(name, op, in.size());
  return cost_of(name, op, in);
}

NodeCost checked_node_cost(const Node& node, std::span<const NodeCost> earlier) {
  const auto shape = [&](int i) -> const Shape& { return earlier[static_cast<size_t>(i)].shape; };
  if (node.inputs.size() == 1) return cost_of(node.name, node.op, std::span(&shape(node.inputs[0]), 1));
  std::array<Shape, kMaxInputs> shapes;
  for (size_t k = 0; k < node.inputs.size(); ++k) shapes[k] = shape(node.inputs[k]);
  return cost_of(node.name, node.op, std::span(shapes.data(), node.inputs.size()));
}

void Analysis::count(const std::string& name, const NodeCost& cost) {
  accumulate(name, "parameters", cost.params, params);
  accumulate(name, "multiply-accumulates", cost.macs, macs);
  accumulate(name, "constant bytes", cost.constant_bytes, constant_bytes);
}

void Analysis::add(const std::string& name, const NodeCost& cost) {
  count(name, cost);
  nodes.push_back(cost);
}

Analysis analyze(const Spec& spec) {
  validate(spec);
  Analysis result;
  result.nodes.reserve(spec.nodes.size());
  for (const Node& node : spec.nodes) {
    result.add(node.name, node.inputs.empty() ? free_of_cost(spec.input) : checked_node_cost(node, result.nodes));
  }
  return result;
}

Shape sole_output_shape(const Spec& spec, const std::string& purpose) {
  const int output = sole_output(spec, purpose);
  return analyze(spec).nodes[static_cast<size_t>(output)].shape;
}

double netscore(double accuracy_percent, int64_t params, int64_t macs) {
  const double millions = static_cast<double>(params) / 1e6;
  const double billions = static_cast<double>(macs) / 1e9;
  return 20.0 * std::log10(accuracy_percent * accuracy_percent / std::sqrt(millions * billions));
}

}  // namespace condenser::arch
