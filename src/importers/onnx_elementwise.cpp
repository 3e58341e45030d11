// Activations, and sums and products, among which are activations that files spell out.
#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"

namespace condenser::importers {
namespace {

using arch::ActivationKind;

bool near(double a, double b) { return std::abs(a - b) <= 1e-5 * std::abs(b); }

bool is(const arch::Op& op, ActivationKind kind) {
  const auto* activation = std::get_if<arch::Activation>(&op);
  return activation != nullptr && activation->kind == kind;
}

}  // namespace

void OnnxGraph::activation(const Node& node) {
  static const std::map<std::string, ActivationKind> kinds{{"Relu", ActivationKind::Relu},
                                                           {"Sigmoid", ActivationKind::Sigmoid},
                                                           {"HardSwish", ActivationKind::HardSwish},
                                                           {"Tanh", ActivationKind::Tanh}};
  const Tensor input = tensor(node);
  give(node, {.node = add(node, arch::Activation{kinds.at(node.op)}, {input.node}), .axes = input.axes});
}

void OnnxGraph::clip(const Node& node) {
  const Tensor input = tensor(node);
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const auto bound = [&](const char* name, size_t k, double fallback) {
    const double value = has_input(node, k) ? double{scalar(node, k, name)} : number(node, name, fallback);
    return std::abs(value) >= 3e38 ? std::copysign(kNone, value) : value;
  };
  const double low = bound("min", 1, -kNone), high = bound("max", 2, kNone);
  if (low == -kNone && high == kNone) return give(node, input);
  if (low != 0 || (high != 6 && high != kNone))
    fail(node, "to " + core::number(low) + ".." + core::number(high) + "; expected 0..6 or 0..inf");
  const auto kind = high == 6 ? ActivationKind::Relu6 : ActivationKind::Relu;
  give(node, {.node = add(node, arch::Activation{kind}, {input.node}), .axes = input.axes});
}

void OnnxGraph::hard_sigmoid(const Node& node) {
  const Tensor input = tensor(node);
  const double alpha = number(node, "alpha", 0.2), beta = number(node, "beta", 0.5);
  if (!near(alpha, 1.0 / 6) || !near(beta, 0.5))
    fail(node, "alpha " + core::number(alpha) + ", beta " + core::number(beta) + "; expected 1/6 and 0.5");
  give(node, {.node = add(node, arch::Activation{ActivationKind::HardSigmoid}, {input.node}), .axes = input.axes});
}

void OnnxGraph::leaky_relu(const Node& node) {
  const Tensor input = tensor(node);
  const int64_t c = shape(input).c;
  const int id = add(node, arch::PRelu{}, {input.node});
  const auto slope = static_cast<float>(number(node, "alpha", 0.01));
  net_->put(id, "weight", {c}, std::vector<float>(static_cast<size_t>(c), slope));
  const auto magnitude = std::abs(static_cast<double>(slope));
  net_->integers(id) = {.weight = std::vector<int8_t>(static_cast<size_t>(c), slope < 0 ? -127 : 127),
                        .weight_scales = {magnitude > 0 ? magnitude / 127 : 1.0}};
  if (slope == 0) std::ranges::fill(net_->integers(id).weight, int8_t{0});
  give(node, {.node = id, .axes = input.axes});
}

void OnnxGraph::prelu(const Node& node) {
  const Tensor input = tensor(node);
  const Array& array = constant(node, 1, "slope");
  std::vector<float> slopes = per_channel(node, input, array);
  const int64_t c = shape(input).c;
  if (slopes.size() == 1) slopes.assign(static_cast<size_t>(c), slopes[0]);
  const int id = add(node, arch::PRelu{}, {input.node});
  double most = 0;
  for (const float s : slopes) most = std::max(most, std::abs(double{s}));
  Integers& integers = net_->integers(id);
  integers.weight_scales = {most > 0 ? most / 127 : 1.0};
  if (!array.is_float() && array.scales.size() == 1) integers.weight_scales = array.scales;
  for (const float s : slopes)
    integers.weight.push_back(
        static_cast<int8_t>(std::clamp(std::round(double{s} / integers.weight_scales[0]), -127.0, 127.0)));
  net_->put(id, "weight", {c}, std::move(slopes));
  give(node, {.node = id, .axes = input.axes});
}

// A constant that meets every value alike, or every channel with a value of its own.
std::vector<float> OnnxGraph::per_channel(const Node& node, const Tensor& tensor, const Array& array) const {
  const std::vector<float> values = floats_of(node, array);
  if (values.size() == 1) return values;
  const size_t rank = tensor.axes.size();
  bool fits = array.dims.size() <= rank;
  for (size_t k = 0; fits && k < array.dims.size(); ++k) {
    const Axis& axis = tensor.axes[rank - array.dims.size() + k];
    fits = array.dims[k] == 1 || (is_whole(axis, 'c', shape(tensor).c) && array.dims[k] == shape(tensor).c);
  }
  if (!fits || std::cmp_not_equal(values.size(), shape(tensor).c))
    fail(node, "a constant of " + std::to_string(values.size()) + " values on axes " + to_string(tensor.axes) + " of " +
                   arch::to_string(shape(tensor)) + "; expected one, or one per channel");
  return values;
}

int OnnxGraph::same_kind(const Tensor& tensor, ActivationKind kind) const {
  return is(op(tensor), kind) ? net_->node(tensor.node).inputs[0] : -1;
}

void OnnxGraph::arithmetic(const Node& node) {
  const Array *left = find_constant(node, 0), *right = find_constant(node, 1);
  if (right != nullptr) return affine(node, tensor(node, 0), *right, false);
  if (left != nullptr) return affine(node, tensor(node, 1), *left, true);
  const Tensor a = tensor(node, 0), b = tensor(node, 1);
  if (node.op == "Mul") return product(node, a, b);
  if (node.op != "Add") fail(node, "of two computed values; expected a constant as one of them, Add or Mul");
  if (a.axes != b.axes || shape(a) != shape(b))
    fail(node, "adds " + arch::to_string(shape(a)) + " and " + arch::to_string(shape(b)) + "; expected equal shapes");
  give(node, {.node = add(node, arch::Add{}, {a.node, b.node}), .axes = a.axes});
}

// x * sigmoid(x), x * hard_sigmoid(x) and x * relu6(x + 3) have names; a map may meet one value per channel.
void OnnxGraph::product(const Node& node, const Tensor& a, const Tensor& b) {
  if (a.axes == b.axes) {
    for (const bool first : {true, false}) {
      const Tensor &gate = first ? a : b, &other = first ? b : a;
      if (net_->quant(gate.node)) continue;  // stored in 8 bits in between: those are two steps
      const auto give_activation = [&](ActivationKind kind) {
        give(node, {.node = add(node, arch::Activation{kind}, {other.node}), .axes = other.axes});
      };
      if (same_kind(gate, ActivationKind::Sigmoid) == other.node) return give_activation(ActivationKind::Silu);
      if (same_kind(gate, ActivationKind::HardSigmoid) == other.node) return give_activation(ActivationKind::HardSwish);
      const int raised = same_kind(gate, ActivationKind::Relu6);
      if (raised > 0 && three_more_.contains(raised) && net_->node(raised).inputs[0] == other.node) {
        const int id = add(node, arch::Activation{ActivationKind::HardSwish}, {other.node});
        return scaled(node, {.node = id, .axes = other.axes}, 6);
      }
    }
  }
  const auto broadcasts = [&](const Tensor& map, const Tensor& pixel) {
    if (shape(pixel) != arch::Shape{shape(map).c, 1, 1} || map.axes.size() != pixel.axes.size()) return false;
    for (size_t k = 0; k < map.axes.size(); ++k) {
      const bool space = !map.axes[k].empty() && (map.axes[k][0].axis == 'h' || map.axes[k][0].axis == 'w');
      if (space ? !pixel.axes[k].empty() : pixel.axes[k] != map.axes[k]) return false;
    }
    return true;
  };
  const bool same = a.axes == b.axes && shape(a) == shape(b);
  if (!same && !broadcasts(a, b) && !broadcasts(b, a))
    fail(node, "multiplies " + arch::to_string(shape(a)) + " and " + arch::to_string(shape(b)) +
                   "; expected equal shapes, or one value per channel");
  const bool first_is_map = same || broadcasts(a, b);
  give(node, {.node = add(node, arch::Mul{}, {a.node, b.node}), .axes = first_is_map ? a.axes : b.axes});
}

void OnnxGraph::affine(const Node& node, const Tensor& input, const Array& array, bool constant_first) {
  const std::vector<float> values = per_channel(node, input, array);
  if (node.op == "Mul" || node.op == "Div") {
    if (node.op == "Div" && constant_first) fail(node, "divides a constant by values; expected values by a constant");
    std::vector<float> scale = values;
    if (node.op == "Div")
      for (float& s : scale) s = 1 / s;
    if (scale.size() == 1) return scaled(node, input, double{scale[0]});
    return affine(node, input, scale, {0});
  }
  const bool minus = node.op == "Sub";
  std::vector<float> shift = values;
  if (minus && !constant_first)
    for (float& s : shift) s = -s;
  const bool negated = minus && constant_first;
  const int id = input.node;
  bool* bias = nullptr;  // of a layer that has none yet
  if (auto* conv = std::get_if<arch::Conv2d>(&net_->node(id).op)) bias = &conv->bias;
  if (auto* linear = std::get_if<arch::Linear>(&net_->node(id).op)) bias = &linear->bias;
  if (bias != nullptr && !*bias && !input.shared && !negated && !net_->quant(id)) {
    const int64_t c = shape(input).c;
    if (shift.size() == 1) shift.assign(static_cast<size_t>(c), shift[0]);
    *bias = true;
    net_->put(id, "bias", {c}, shift);
    return give(node, input);
  }
  affine(node, input, {negated ? -1.0F : 1.0F}, shift);
  const auto made = tensors_.find(node.outputs.empty() ? "" : node.outputs[0]);
  if (values.size() == 1 && values[0] == 3 && node.op == "Add" && made != tensors_.end())
    three_more_.insert(made->second.node);
}

// As a batch norm: training goes on with it, and lowering folds it into the layer before.
void OnnxGraph::affine(const Node& node, const Tensor& input, const std::vector<float>& scale,
                       const std::vector<float>& shift) {
  const int64_t c = shape(input).c;
  const auto count = static_cast<size_t>(c);
  const arch::BatchNorm norm;
  const double deviation = std::sqrt(1 + norm.eps);
  std::vector<float> weights(count), biases(count);
  for (size_t k = 0; k < count; ++k) {
    weights[k] = static_cast<float>(double{scale[scale.size() == 1 ? 0 : k]} * deviation);
    biases[k] = shift[shift.size() == 1 ? 0 : k];
  }
  const int id = add(node, norm, {input.node});
  net_->put(id, "weight", {c}, weights);
  net_->put(id, "bias", {c}, biases);
  net_->put(id, "running_mean", {c}, std::vector<float>(count, 0));
  net_->put(id, "running_var", {c}, std::vector<float>(count, 1));
  give(node, {.node = id, .axes = input.axes});
}

void OnnxGraph::scaled(const Node& node, const Tensor& input, double factor) {
  if (factor == 1) return give(node, input);
  arch::Node& before = net_->node(input.node);
  const arch::Shape in = shape(input);
  if (auto* softmax = std::get_if<arch::Softmax>(&before.op);
      softmax != nullptr && !softmax->rescale && !input.shared) {
    const int64_t terms = softmax->axis == arch::SoftmaxAxis::Channels ? in.c : in.h * in.w;
    if (near(factor, static_cast<double>(terms))) {
      softmax->rescale = true;
      return give(node, input);
    }
  }
  // relu6(x + 3) / 6, and six times a hard swish divided by six.
  const int raised = same_kind(input, ActivationKind::Relu6);
  if (near(factor, 1.0 / 6) && raised > 0 && three_more_.contains(raised)) {
    const int id = add(node, arch::Activation{ActivationKind::HardSigmoid}, {net_->node(raised).inputs[0]});
    return give(node, {.node = id, .axes = input.axes});
  }
  if (near(factor, 1.0 / 6) && six_times_.contains(input.node))
    return give(node, {.node = before.inputs[0], .axes = input.axes, .shared = true});
  const int id = add(node, arch::Scale{}, {input.node});
  net_->put(id, "weight", {1}, {static_cast<float>(factor)});
  if (factor == 6 && is(net_->node(input.node).op, ActivationKind::HardSwish)) six_times_.insert(id);
  give(node, {.node = id, .axes = input.axes});
}

}  // namespace condenser::importers
