#pragma once
// A quantized network prepared for the int8 kernels: per node the kernel, its shapes and its constants. Made once, from
// the lowered Spec, its int8 weights and its scales; read by the executor, which runs it, and by the C99 target, which
// prints it. So both compute the same by construction.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::runtime {

// value * multiplier * 2^(shift - 31)
struct Requant {
  int32_t multiplier = 0;
  int32_t shift = 0;
};

// Zero point of an output and the clamp that the kernel applies, in output integers.
struct OutputRange {
  int32_t zero_point = 0;
  int32_t low = -128;
  int32_t high = 127;
};

// Per output channel; the arrays are emitted as they are.
struct ChannelConstants {
  std::vector<int32_t> bias;
  std::vector<int32_t> multiplier;
  std::vector<int8_t> shift;
};

enum class ConvKernel { General, Depthwise, Pointwise };

struct InputStep {};

struct ConvStep {
  ConvKernel kernel = ConvKernel::General;
  arch::Conv2d op;
  arch::Shape in, out;
  int32_t input_zero_point = 0;
  OutputRange range;
  std::vector<int8_t> weights;  // General, Pointwise: [out, kh, kw, in/groups]; Depthwise: [kh, kw, out]
  ChannelConstants channels;
};

struct LinearStep {
  int32_t in = 0, out = 0;
  int32_t input_zero_point = 0;
  OutputRange range;
  std::vector<int8_t> weights;  // [out, in]
  ChannelConstants channels;
};

struct AvgPoolStep {
  arch::AvgPool op;
  arch::Shape in, out;
  int32_t zero_point = 0;  // of input and output
};

struct MaxPoolStep {
  arch::MaxPool op;
  arch::Shape in, out;
};

struct GlobalAvgPoolStep {
  arch::Shape in;
};

struct AddStep {
  int32_t count = 0;
  int32_t a_zero_point = 0, b_zero_point = 0;
  Requant a, b, out;
  OutputRange range;
};

// Product; an input of one pixel multiplies every pixel of the other.
struct MulStep {
  arch::Shape a, b, out;
  int32_t a_zero_point = 0, b_zero_point = 0, output_zero_point = 0;
  Requant out_scale;  // product of the inputs' scales over the output's scale
};

struct PReluStep {
  int32_t pixels = 0, channels = 0;
  int32_t input_zero_point = 0, output_zero_point = 0;
  Requant positive, negative;
  std::vector<int8_t> slope;  // per channel
};

struct BlurPoolStep {
  arch::BlurPool op;
  arch::Shape in, out;
};

struct UpsampleStep {
  arch::Shape in, out;
};

struct ConcatPart {
  int32_t channels = 0, first = 0;  // of the input; where they begin in the output
  bool copy = false;                // scale and zero point are the output's
  int32_t input_zero_point = 0;
  Requant requant;
};

struct ConcatStep {
  int32_t pixels = 0, channels = 0;  // of the output
  int32_t output_zero_point = 0;
  std::vector<ConcatPart> parts;  // one per input
};

struct SliceStep {
  arch::Slice op;
  arch::Shape in;
};

struct ChannelShuffleStep {
  arch::ChannelShuffle op;
  arch::Shape in;
};

// Activation and Scale.
struct ActivationStep {
  int32_t count = 0;
  std::vector<int8_t> table;  // 256 results, of -128 first
};

struct SoftmaxMulStep {
  int32_t pixels = 0, channels = 0;
  arch::SoftmaxAxis axis = arch::SoftmaxAxis::Channels;
  int32_t value_zero_point = 0, output_zero_point = 0;
  Requant gain;                 // value scale over output scale, times the number of terms if rescaled
  std::vector<uint16_t> table;  // 256 values, round(65535 exp(-attention scale * d))
};

using Step = std::variant<InputStep, ConvStep, LinearStep, AvgPoolStep, MaxPoolStep, GlobalAvgPoolStep, AddStep,
                          ActivationStep, SoftmaxMulStep, MulStep, PReluStep, BlurPoolStep, UpsampleStep, ConcatStep,
                          SliceStep, ChannelShuffleStep>;

struct Int8Program {
  arch::Spec spec;  // lowered
  arch::Analysis analysis;
  arch::MemoryPlan plan;
  QuantParams quant;
  std::vector<Step> steps;  // parallel to spec.nodes

  const TensorQuant& input_quant() const { return quant.nodes.at(spec.nodes.front().name).output; }
  const TensorQuant& output_quant(size_t k = 0) const { return quant.nodes.at(spec.node(spec.output(k)).name).output; }
  const arch::Shape& output_shape(size_t k = 0) const { return arch::output_shape(spec, analysis, k); }
  int64_t output_values() const;  // of all outputs together
};

// Why the int8 kernels cannot run this operator, or an empty string. Structure only: callable before training.
std::string int8_refusal(const arch::Op&, const std::vector<arch::Shape>& inputs);

// Checks everything first: structure, weights, scales, that no 32-bit sum can overflow for any input. Throws SpecError
// or core::Error naming the node.
Int8Program build_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant);

}  // namespace condenser::runtime
