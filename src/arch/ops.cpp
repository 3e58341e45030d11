// Names and small facts of the operators. Shapes and costs are in analysis.cpp.

#include "condenser/arch/ops.hpp"

#include <type_traits>

namespace condenser::arch {

const char* op_name(const Op& op) {
  return arch::visit(op, [](const auto& o) { return std::decay_t<decltype(o)>::kName; });
}

const char* to_string(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::Relu: return "relu";
    case ActivationKind::Relu6: return "relu6";
    case ActivationKind::Silu: return "silu";
    case ActivationKind::Sigmoid: return "sigmoid";
    case ActivationKind::HardSwish: return "hard_swish";
    case ActivationKind::HardSigmoid: return "hard_sigmoid";
    case ActivationKind::Tanh: return "tanh";
  }
  return "unknown";
}

const char* to_string(Clamp clamp) {
  switch (clamp) {
    case Clamp::None: return "none";
    case Clamp::Relu: return "relu";
    case Clamp::Relu6: return "relu6";
  }
  return "unknown";
}

const char* to_string(SoftmaxAxis axis) { return axis == SoftmaxAxis::Channels ? "channels" : "space"; }

bool depthwise(const Conv2d& conv, const Shape& input) { return conv.groups == input.c && conv.out % input.c == 0; }

int weight_bits(const Op& op) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) return conv->weight_bits;
  const auto* linear = std::get_if<Linear>(&op);
  return linear != nullptr ? linear->weight_bits : 8;
}

}  // namespace condenser::arch
