#pragma once
// The primitive operators: what every reader of a Spec must understand. Everything with a proper name in a paper is a
// block (blocks.hpp) made of these. kName is the word of spec files, kInputs the number of inputs. Adding one: the
// compiler lists each visitor that lacks a case (CONTRIBUTING.md has the recipe). Parameters are named
// "<node>.<param>"; shapes in brackets follow LibTorch.

#include <type_traits>
#include <utility>
#include <variant>

#include "condenser/arch/shape.hpp"

namespace condenser::arch {

// Clamps that an integer kernel applies for free; lower() moves Activation nodes of these kinds into the producer.
enum class Clamp { None, Relu, Relu6 };

inline constexpr int kManyInputs = -1;  // two or more

enum class ActivationKind { Relu, Relu6, Silu, Sigmoid, HardSwish, HardSigmoid, Tanh };

struct Input {
  static constexpr const char* kName = "input";
  static constexpr int kInputs = 0;
  bool operator==(const Input&) const = default;
};
// weight [out, in/groups, kernel.h, kernel.w], bias [out]. Cross-correlation, zero padding.
struct Conv2d {
  static constexpr const char* kName = "conv2d";
  static constexpr int kInputs = 1;
  int out = 0;
  Size kernel, stride;
  Pad pad;
  int groups = 1;
  bool bias = false;
  Clamp clamp = Clamp::None;  // made by lower() only
  int weight_bits = 8;        // 8 or 4: of its int8 form (quant_params.hpp)
  bool operator==(const Conv2d&) const = default;
};
// weight, bias, running_mean, running_var, each [c].
struct BatchNorm {
  static constexpr const char* kName = "batch_norm";
  static constexpr int kInputs = 1;
  double eps = 1e-5;
  double momentum = 0.1;
  bool operator==(const BatchNorm&) const = default;
};
struct Activation {
  static constexpr const char* kName = "activation";
  static constexpr int kInputs = 1;
  ActivationKind kind = ActivationKind::Relu;
  bool operator==(const Activation&) const = default;
};
// weight [c]: y = x for x >= 0, weight * x below (He et al. 2015, arXiv 1502.01852).
struct PRelu {
  static constexpr const char* kName = "prelu";
  static constexpr int kInputs = 1;
  bool operator==(const PRelu&) const = default;
};
// weight [1]: y = weight * x, the learned scalar of an attention condenser.
struct Scale {
  static constexpr const char* kName = "scale";
  static constexpr int kInputs = 1;
  bool operator==(const Scale&) const = default;
};
enum class SoftmaxAxis { Channels, Space };  // over the channels of each pixel, or the pixels of each channel
// rescale: times the number of terms, so that the mean is 1 instead of 1/n.
struct Softmax {
  static constexpr const char* kName = "softmax";
  static constexpr int kInputs = 1;
  SoftmaxAxis axis = SoftmaxAxis::Channels;
  bool rescale = false;
  bool operator==(const Softmax&) const = default;
};
// Inputs (attention, value), equal shapes: softmax of the first, times the second. Made by lower() from Softmax and
// Mul, so that probabilities (mean 1/n) are never squeezed into int8. A clamp costs nothing there: the range of the
// int8 output is the clamp (quant_params.cpp checks that), so that the product is never rounded to a range of its own.
struct SoftmaxMul {
  static constexpr const char* kName = "softmax_mul";
  static constexpr int kInputs = 2;
  SoftmaxAxis axis = SoftmaxAxis::Channels;
  bool rescale = false;
  Clamp clamp = Clamp::None;  // made by lower() only
  bool operator==(const SoftmaxMul&) const = default;
};
// count_include_pad: padded zeros count in the divisor (PyTorch's default; the published stem needs it).
struct AvgPool {
  static constexpr const char* kName = "avg_pool";
  static constexpr int kInputs = 1;
  Size kernel, stride;
  Pad pad;
  bool count_include_pad = false;
  bool operator==(const AvgPool&) const = default;
};
// Padding never wins (minus infinity).
struct MaxPool {
  static constexpr const char* kName = "max_pool";
  static constexpr int kInputs = 1;
  Size kernel, stride;
  Pad pad;
  bool operator==(const MaxPool&) const = default;
};
struct GlobalAvgPool {
  static constexpr const char* kName = "global_avg_pool";
  static constexpr int kInputs = 1;
  bool operator==(const GlobalAvgPool&) const = default;
};
// Fixed binomial low-pass filter, outer product of [1 2 1]/4 (taps 3) or [1 4 6 4 1]/16 (taps 5), per channel, then
// every stride-th pixel; borders are mirrored without repeating the edge (Zhang 2019, arXiv 1904.11486).
struct BlurPool {
  static constexpr const char* kName = "blur_pool";
  static constexpr int kInputs = 1;
  int taps = 3;
  Size stride;
  bool operator==(const BlurPool&) const = default;
};
// Nearest neighbour to `size`, not smaller than the input: y[i] = x[floor(i * in / out)].
struct Upsample {
  static constexpr const char* kName = "upsample";
  static constexpr int kInputs = 1;
  Size size;
  bool operator==(const Upsample&) const = default;
};
// Two or more inputs that differ in channels only.
struct Concat {
  static constexpr const char* kName = "concat";
  static constexpr int kInputs = kManyInputs;
  bool operator==(const Concat&) const = default;
};
// Channels begin .. begin + count - 1.
struct Slice {
  static constexpr const char* kName = "slice";
  static constexpr int kInputs = 1;
  int begin = 0;
  int count = 0;
  bool operator==(const Slice&) const = default;
};
// Channel g * (c / groups) + k goes to k * groups + g (Zhang et al. 2018, arXiv 1707.01083).
struct ChannelShuffle {
  static constexpr const char* kName = "channel_shuffle";
  static constexpr int kInputs = 1;
  int groups = 2;
  bool operator==(const ChannelShuffle&) const = default;
};
// Input must be [c, 1, 1]; weight [out, c], bias [out].
struct Linear {
  static constexpr const char* kName = "linear";
  static constexpr int kInputs = 1;
  int out = 0;
  bool bias = true;
  Clamp clamp = Clamp::None;  // made by lower() only
  int weight_bits = 8;        // 8 or 4: of its int8 form
  bool operator==(const Linear&) const = default;
};
// Two inputs, equal shapes.
struct Add {
  static constexpr const char* kName = "add";
  static constexpr int kInputs = 2;
  Clamp clamp = Clamp::None;  // made by lower() only
  bool operator==(const Add&) const = default;
};
// Two inputs: equal shapes, or one of them [c, 1, 1] that multiplies each pixel of the other.
struct Mul {
  static constexpr const char* kName = "mul";
  static constexpr int kInputs = 2;
  bool operator==(const Mul&) const = default;
};

using Op = std::variant<Input, Conv2d, BatchNorm, Activation, Softmax, SoftmaxMul, AvgPool, MaxPool, GlobalAvgPool,
                        Linear, Add, Mul, PRelu, Scale, BlurPool, Upsample, Concat, Slice, ChannelShuffle>;

const char* op_name(const Op&);                     // "conv2d", "batch_norm", ... as in spec files
const char* to_string(ActivationKind);              // "silu", ...
const char* to_string(Clamp);                       // "none", "relu", "relu6"
const char* to_string(SoftmaxAxis);                 // "channels", "space"
bool depthwise(const Conv2d&, const Shape& input);  // groups == input channels and out a multiple of it
int weight_bits(const Op&);                         // of convolutions and linears; 8 of all others

// Several lambdas as one visitor.
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

template <size_t kIndex, class Visitor>
decltype(auto) visit_from(const Op& op, Visitor& visitor) {
  if constexpr (kIndex + 1 < std::variant_size_v<Op>) {
    if (op.index() != kIndex) return visit_from<kIndex + 1>(op, visitor);
  }
  return visitor(*std::get_if<kIndex>(&op));
}

// visitor(operator inside op), mostly an Overloaded of one lambda per operator and no default branch: a new operator
// then makes the compiler name every reader that has to learn it. The chain of tests becomes one switch that the
// compiler sees through; std::visit calls through a table.
template <class Visitor>
decltype(auto) visit(const Op& op, Visitor&& visitor) {
  return visit_from<0>(op, visitor);
}

inline int input_count(const Op& op) {  // 0, 1, 2, or kManyInputs
  return arch::visit(op, [](const auto& o) { return std::decay_t<decltype(o)>::kInputs; });
}

inline bool commutative(const Op& op) {  // inputs may be swapped
  return std::holds_alternative<Add>(op) || std::holds_alternative<Mul>(op);
}

}  // namespace condenser::arch
