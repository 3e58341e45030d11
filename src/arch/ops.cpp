// Names and small facts of the operators. Shapes and costs are in analysis.cpp.

#include "condenser/arch/ops.hpp"

namespace condenser::arch {

const char* op_name(const Op& op) {
  return std::visit(Overloaded{
                        [](const Input&) { return "input"; },
                        [](const Conv2d&) { return "conv2d"; },
                        [](const BatchNorm&) { return "batch_norm"; },
                        [](const Activation&) { return "activation"; },
                        [](const Softmax&) { return "softmax"; },
                        [](const SoftmaxMul&) { return "softmax_mul"; },
                        [](const AvgPool&) { return "avg_pool"; },
                        [](const MaxPool&) { return "max_pool"; },
                        [](const GlobalAvgPool&) { return "global_avg_pool"; },
                        [](const Linear&) { return "linear"; },
                        [](const Add&) { return "add"; },
                        [](const Mul&) { return "mul"; },
                        [](const PRelu&) { return "prelu"; },
                        [](const Scale&) { return "scale"; },
                        [](const BlurPool&) { return "blur_pool"; },
                        [](const Upsample&) { return "upsample"; },
                        [](const Concat&) { return "concat"; },
                        [](const Slice&) { return "slice"; },
                        [](const ChannelShuffle&) { return "channel_shuffle"; },
                    },
                    op);
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

int input_count(const Op& op) {
  return std::visit(Overloaded{
                        [](const Input&) { return 0; },
                        [](const Conv2d&) { return 1; },
                        [](const BatchNorm&) { return 1; },
                        [](const Activation&) { return 1; },
                        [](const Softmax&) { return 1; },
                        [](const SoftmaxMul&) { return 2; },
                        [](const AvgPool&) { return 1; },
                        [](const MaxPool&) { return 1; },
                        [](const GlobalAvgPool&) { return 1; },
                        [](const Linear&) { return 1; },
                        [](const Add&) { return 2; },
                        [](const Mul&) { return 2; },
                        [](const PRelu&) { return 1; },
                        [](const Scale&) { return 1; },
                        [](const BlurPool&) { return 1; },
                        [](const Upsample&) { return 1; },
                        [](const Concat&) { return kManyInputs; },
                        [](const Slice&) { return 1; },
                        [](const ChannelShuffle&) { return 1; },
                    },
                    op);
}

bool commutative(const Op& op) { return std::holds_alternative<Add>(op) || std::holds_alternative<Mul>(op); }

bool depthwise(const Conv2d& conv, const Shape& input) { return conv.groups == input.c && conv.out % input.c == 0; }

}  // namespace condenser::arch
