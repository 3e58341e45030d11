#pragma once
// The primitive operators: what every reader of a Spec must understand. Everything with a proper name in a paper is a
// block (blocks.hpp) made of these. Adding one: the compiler lists each visitor that lacks a case (CONTRIBUTING.md has
// the recipe). Parameters are named "<node>.<param>"; shapes in brackets follow LibTorch.

#include <variant>

#include "condenser/arch/shape.hpp"

namespace condenser::arch {

// Clamps that an integer kernel applies for free; lower() moves Activation nodes of these kinds into the producer.
enum class Clamp { None, Relu, Relu6 };

enum class ActivationKind { Relu, Relu6, Silu, Sigmoid, HardSwish, HardSigmoid, Tanh };

struct Input {
  bool operator==(const Input&) const = default;
};
// weight [out, in/groups, kernel.h, kernel.w], bias [out]. Cross-correlation, zero padding.
struct Conv2d {
  int out = 0;
  Size kernel, stride;
  Pad pad;
  int groups = 1;
  bool bias = false;
  Clamp clamp = Clamp::None;  // made by lower() only
  bool operator==(const Conv2d&) const = default;
};
// weight, bias, running_mean, running_var, each [c].
struct BatchNorm {
  double eps = 1e-5;
  double momentum = 0.1;
  bool operator==(const BatchNorm&) const = default;
};
struct Activation {
  ActivationKind kind = ActivationKind::Relu;
  bool operator==(const Activation&) const = default;
};
// Over channels, at each pixel.
struct Softmax {
  bool operator==(const Softmax&) const = default;
};
// Inputs (attention, value), equal shapes: softmax over channels of the first, times the second. Made by lower() from
// Softmax and Mul, so that probabilities (mean 1/c) are never squeezed into int8.
struct SoftmaxMul {
  bool operator==(const SoftmaxMul&) const = default;
};
// count_include_pad: padded zeros count in the divisor (PyTorch's default; the published stem needs it).
struct AvgPool {
  Size kernel, stride;
  Pad pad;
  bool count_include_pad = false;
  bool operator==(const AvgPool&) const = default;
};
// Padding never wins (minus infinity).
struct MaxPool {
  Size kernel, stride;
  Pad pad;
  bool operator==(const MaxPool&) const = default;
};
struct GlobalAvgPool {
  bool operator==(const GlobalAvgPool&) const = default;
};
// Input must be [c, 1, 1]; weight [out, c], bias [out].
struct Linear {
  int out = 0;
  bool bias = true;
  Clamp clamp = Clamp::None;  // made by lower() only
  bool operator==(const Linear&) const = default;
};
// Two inputs, equal shapes.
struct Add {
  Clamp clamp = Clamp::None;  // made by lower() only
  bool operator==(const Add&) const = default;
};
struct Mul {
  bool operator==(const Mul&) const = default;
};

using Op = std::variant<Input, Conv2d, BatchNorm, Activation, Softmax, SoftmaxMul, AvgPool, MaxPool, GlobalAvgPool,
                        Linear, Add, Mul>;

const char* op_name(const Op&);                     // "conv2d", "batch_norm", ... as in spec files
const char* to_string(ActivationKind);              // "silu", ...
const char* to_string(Clamp);                       // "none", "relu", "relu6"
int input_count(const Op&);                         // 0, 1 or 2
bool commutative(const Op&);                        // inputs may be swapped (Add, Mul)
bool depthwise(const Conv2d&, const Shape& input);  // groups == input channels and out a multiple of it

// For std::visit with one lambda per operator and no default branch.
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace condenser::arch
