// Scales follow the spread of random sums, so that few values saturate and few collapse to one integer.
#include "support/random_int8.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/runtime/int8_program.hpp"

namespace condenser::testing {
namespace {

using runtime::NodeQuant;
using runtime::TensorQuant;

class Maker {
 public:
  Maker(const arch::Spec& spec, uint64_t seed, arch::Int16Nodes wide)
      : spec_(spec), wide_(std::move(wide)), analysis_(arch::analyze(spec)), rng_(seed, 0x1178) {}

  RandomInt8 make() {
    for (const arch::Node& node : spec_.nodes) result_.quant.nodes[node.name] = widened(node, make_node(node));
    return std::move(result_);
  }

 private:
  int integer(int low, int high) { return low + static_cast<int>(rng_.below(static_cast<uint64_t>(high - low + 1))); }

  const TensorQuant& input(const arch::Node& node, size_t k = 0) const {
    return result_.quant.nodes.at(spec_.node(node.inputs[k]).name).output;
  }
  // That 8 bits would have for the same range.
  static double step(const TensorQuant& quant) { return quant.scale * (quant.bits == 16 ? 128 : 1); }
  const arch::Shape& shape(const arch::Node& node) const { return analysis_.node(node.inputs[0]).shape; }
  NodeQuant plain(double scale) { return {{scale, integer(-40, 40)}, {}}; }

  NodeQuant clamped(NodeQuant node, arch::Clamp clamp) {
    if (clamp != arch::Clamp::None) node.output.zero_point = integer(-128, -100);
    if (clamp == arch::Clamp::Relu6) node.output.scale = 6.0 / integer(90, 250);
    return node;
  }

  bool is_wide(const arch::Node& node) const {
    return arch::is_int16(wide_, static_cast<int>(&node - spec_.nodes.data()));
  }

  // Of 16 bits the same range, and less of it now and then, so that some values saturate.
  NodeQuant widened(const arch::Node& node, NodeQuant made) {
    if (!is_wide(node) || made.output.bits == 16) return made;
    made.output = {made.output.scale / integer(60, 200), 0, 16};
    return made;
  }

  NodeQuant with_weights(const arch::Node& node, std::vector<int64_t> dimensions, int64_t depth) {
    const TensorQuant& in = input(node);
    arch::Tensor weight = arch::make_tensor(arch::DType::I8, dimensions);
    const bool four = arch::weight_bits(node.op) == 4;
    for (int8_t& w : weight.i8()) w = static_cast<int8_t>(four ? 16 * integer(-7, 7) : integer(-127, 127));
    arch::Tensor bias = arch::make_tensor(arch::DType::I32, {dimensions[0]});
    for (int32_t& b : bias.i32()) b = integer(-4000, 4000);
    result_.weights.tensors[node.name + ".weight"] = std::move(weight);
    result_.weights.tensors[node.name + ".bias"] = std::move(bias);
    std::vector<double> scales;
    for (int64_t o = 0; o < dimensions[0]; ++o) scales.push_back(0.01 * std::exp(rng_.uniform(-0.5, 0.5)));
    // Standard deviations: inputs about 60, weights 73, outputs 50 integers.
    const double spread = step(in) * 0.01 * 60.0 * 73.0 * std::sqrt(static_cast<double>(depth));
    NodeQuant result = plain(spread / 50.0);
    result.weight_scales = scales;
    return result;
  }

  NodeQuant activation(const arch::Node& node, arch::ActivationKind kind) {
    const TensorQuant& in = input(node);
    const double largest = in.scale * (in.high() - in.zero_point);
    const bool bounded = kind == arch::ActivationKind::Sigmoid || kind == arch::ActivationKind::HardSigmoid;
    if (bounded) return {{1.0 / 256.0, -128}, {}};
    if (kind == arch::ActivationKind::Tanh) return {{1.0 / 128.0, 0}, {}};
    return {{std::max(largest, 0.3) / 240.0, integer(-120, -100)}, {}};
  }

  NodeQuant as_input(const arch::Node& node) const { return {input(node), {}}; }

  NodeQuant softmax_mul(const arch::Node& node, const arch::SoftmaxMul& op) {
    const arch::Shape& s = shape(node);
    const int64_t terms = op.axis == arch::SoftmaxAxis::Channels ? s.c : s.h * s.w;
    NodeQuant result = plain(step(input(node, 1)) * 3.0 / (op.rescale ? 1.0 : static_cast<double>(terms)));
    if (op.clamp != arch::Clamp::None) result.output.zero_point = -128;
    if (op.clamp == arch::Clamp::Relu6) result.output.scale = std::min(result.output.scale, 6.0 / 255.0);
    return result;
  }

  NodeQuant prelu(const arch::Node& node) {
    arch::Tensor slope = arch::make_tensor(arch::DType::I8, {shape(node).c});
    for (int8_t& a : slope.i8()) a = static_cast<int8_t>(integer(-127, 127));
    result_.weights.tensors[node.name + ".weight"] = std::move(slope);
    NodeQuant result = plain(1.1 * input(node).scale);
    result.weight_scales = {0.008 * std::exp(rng_.uniform(-0.5, 0.5))};
    return result;
  }

  NodeQuant scale(const arch::Node& node) {
    const auto factor = static_cast<float>(rng_.uniform(-2.0, 2.0));
    result_.weights.tensors[node.name + ".weight"] = arch::make_f32({1}, std::vector<float>{factor});
    return plain(1.1 * step(input(node)) * std::max(0.01, std::abs(static_cast<double>(factor))));
  }

  // Inputs of one scale and zero point are copied.
  NodeQuant concat(const arch::Node& node) {
    double largest = 0;
    bool equal = (input(node).bits == 16) == is_wide(node);
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      largest = std::max(largest, step(input(node, k)));
      equal = equal && input(node, k) == input(node);
    }
    return equal ? as_input(node) : plain(1.1 * largest);
  }

  NodeQuant make_node(const arch::Node& node) {
    return arch::visit(
        node.op, arch::Overloaded{
                     [&](const arch::Input&) { return plain(0.02); },
                     [&](const arch::Conv2d& op) {
                       const int64_t group_in = shape(node).c / op.groups;
                       NodeQuant result = with_weights(node, {op.out, group_in, op.kernel.h, op.kernel.w},
                                                       group_in * op.kernel.h * op.kernel.w);
                       return clamped(std::move(result), op.clamp);
                     },
                     [&](const arch::BatchNorm&) { return plain(0.02); },
                     [&](const arch::Activation& op) { return activation(node, op.kind); },
                     [&](const arch::Softmax&) {
                       return NodeQuant{{1.0 / 256.0, -128}, {}};
                     },
                     [&](const arch::SoftmaxMul& op) { return softmax_mul(node, op); },
                     [&](const arch::AvgPool&) { return as_input(node); },
                     [&](const arch::MaxPool&) { return as_input(node); },
                     [&](const arch::GlobalAvgPool&) { return as_input(node); },
                     [&](const arch::Linear& op) {
                       return clamped(with_weights(node, {op.out, shape(node).c}, shape(node).c), op.clamp);
                     },
                     [&](const arch::Add& op) {
                       return clamped(plain(1.2 * std::max(step(input(node, 0)), step(input(node, 1)))), op.clamp);
                     },
                     // Of products of standard deviation 60 * 60, one of 60 again.
                     [&](const arch::Mul&) { return plain(60.0 * step(input(node, 0)) * step(input(node, 1))); },
                     [&](const arch::PRelu&) { return prelu(node); },
                     [&](const arch::Scale&) { return scale(node); },
                     [&](const arch::BlurPool&) { return as_input(node); },
                     [&](const arch::Upsample&) { return as_input(node); },
                     [&](const arch::Concat&) { return concat(node); },
                     [&](const arch::Slice&) { return as_input(node); },
                     [&](const arch::ChannelShuffle&) { return as_input(node); },
                 });
  }

  const arch::Spec& spec_;
  const arch::Int16Nodes wide_;
  arch::Analysis analysis_;
  core::Rng rng_;
  RandomInt8 result_;
};

}  // namespace

RandomInt8 random_int8(const arch::Spec& lowered, uint64_t seed, const std::vector<bool>& wide) {
  return Maker(lowered, seed, wide).make();
}

bool runs_in_int8(const arch::Spec& lowered) {
  const arch::Analysis analysis = arch::analyze(lowered);
  return std::ranges::all_of(lowered.nodes, [&](const arch::Node& node) {
    std::vector<arch::Shape> inputs;
    for (const int input : node.inputs) inputs.push_back(analysis.node(input).shape);
    return runtime::int8_refusal(node.op, inputs).empty();
  });
}

std::vector<int8_t> random_input(const arch::Spec& spec, uint64_t seed) {
  core::Rng rng(seed, 0x1179);
  std::vector<int8_t> values(static_cast<size_t>(spec.input.elements()));
  for (int8_t& v : values) v = static_cast<int8_t>(static_cast<int>(rng.below(256)) - 128);
  return values;
}

}  // namespace condenser::testing
