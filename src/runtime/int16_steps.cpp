// Scales to multipliers, floats to tables, for kernels whose values have 8 or 16 bits. Those of 16 bits have zero point
// 0, so that one form serves both.
#include "runtime/int16_steps.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "runtime/fixed_point.hpp"
#include "runtime/kernels/cnd_activation_a16.h"
#include "runtime/step_parts.hpp"

namespace condenser::runtime {
namespace {

using namespace parts;

std::string where(const Ends& e) { return "node " + e.node.name; }

Params input_params(const Ends& e) {
  return {{"input_bits", e.inputs[0].bits}, {"input_zero_point", e.inputs[0].zero_point}};
}

// Bits, zero point and clamp.
Params output_params(const Ends& e, arch::Clamp clamp) {
  Params params = {{"output_bits", e.output.bits}};
  append(params, range_params(e.output, clamp));
  return params;
}

// No partial sum leaves 32 bits, whatever the input and the order of the products.
void check_sum(const Ends& e, size_t channel, std::span<const int8_t> weights, int64_t bias) {
  const TensorQuant& in = e.inputs[0];
  const int64_t most = std::max(in.high() - in.zero_point, in.zero_point - in.low());
  int64_t magnitude = 0;
  for (const int8_t w : weights) magnitude += std::abs(int{w});
  const int64_t largest = std::abs(bias) + most * magnitude;
  if (largest <= INT32_MAX) return;
  throw core::Error(where(e) + ", channel " + std::to_string(channel) + ": a sum of " + std::to_string(weights.size()) +
                    " products of " + std::to_string(in.bits) + " bits may reach " + std::to_string(largest) +
                    "; expected at most 2147483647, the range of the 32-bit accumulator. Take what it reads out of "
                    "quantize.int16, or give the layer groups or fewer input channels");
}

// A linear layer is a convolution of one pixel.
arch::Conv2d as_conv(const arch::Linear& op) {
  return {.out = op.out,
          .kernel = arch::square(1),
          .stride = arch::square(1),
          .pad = {},
          .bias = op.bias,
          .clamp = op.clamp};
}

void conv(const Ends& e, const arch::Conv2d& op, Step& step) {
  const std::span<const int8_t> weights = e.weights.at(e.node.name + ".weight").i8();
  const std::vector<double>& scales = e.quant.nodes.at(e.node.name).weight_scales;
  const auto channels = static_cast<size_t>(op.out), row = weights.size() / channels;
  std::vector<int32_t> biases(channels, 0), multipliers;
  std::vector<int8_t> shifts;
  if (const auto bias = e.weights.tensors.find(e.node.name + ".bias"); bias != e.weights.tensors.end())
    std::ranges::copy(bias->second.i32(), biases.begin());
  for (size_t o = 0; o < channels; ++o) {
    check_sum(e, o, weights.subspan(o * row, row), biases[o]);
    const Requant requant = quantize_multiplier(e.inputs[0].scale * scales[o] / e.output.scale,
                                                where(e) + ", channel " + std::to_string(o));
    multipliers.push_back(requant.multiplier);
    shifts.push_back(static_cast<int8_t>(requant.shift));
  }
  step.constants = {{"weight", ConstantKind::Weights, to_ohwi(weights, op, e.in[0].c / op.groups)},
                    {"bias", ConstantKind::Biases, std::move(biases)},
                    {"multiplier", ConstantKind::Multipliers, std::move(multipliers)},
                    {"shift", ConstantKind::Multipliers, std::move(shifts)}};
  Params& params = step.calls.front().params;
  params = {{"in_h", narrow(e.in[0].h)}, {"in_w", narrow(e.in[0].w)}, {"in_c", narrow(e.in[0].c)},
            {"out_h", narrow(e.out.h)},  {"out_w", narrow(e.out.w)},  {"out_c", narrow(e.out.c)}};
  append(params, window_params(op));
  append(params, {{"groups", op.groups}});
  append(params, input_params(e));
  append(params, output_params(e, op.clamp));
}

// Where a table of 16 bits has its entry j of one sign: the header of the kernel says it.
int magnitude_of(int entry) {
  constexpr int kPlain = 2 * CND_ACTIVATION_STEPS;
  if (entry < kPlain) return entry;
  const int octave = (entry - kPlain) / CND_ACTIVATION_STEPS + 1;
  return (CND_ACTIVATION_STEPS + (entry - kPlain) % CND_ACTIVATION_STEPS) << octave;
}

// Of results of 8 bits the table holds 64ths.
template <class Function>
void table(const Ends& e, const Function& function, Step& step) {
  const TensorQuant &in = e.inputs[0], &out = e.output;
  const int fraction = in.bits == 16 && out.bits == 8 ? CND_ACTIVATION_FRACTION : 1;
  const auto entry = [&](int q) {
    const double exact = std::clamp(function(in.scale * (q - in.zero_point)) / out.scale + out.zero_point,
                                    static_cast<double>(out.low()), static_cast<double>(out.high()));
    return static_cast<int16_t>(std::lround(fraction * exact));
  };
  std::vector<int16_t> values;
  if (in.bits == 8) {
    for (int q = in.low(); q <= in.high(); ++q) values.push_back(entry(q));
  } else {
    for (const int sign : {1, -1})
      for (int j = 0; j < CND_ACTIVATION_ENTRIES; ++j) values.push_back(entry(sign * magnitude_of(j)));
  }
  step.constants = {{"table", ConstantKind::Tables, std::move(values)}};
  step.calls.front().params = {{"count", narrow(e.out.elements())}, {"input_bits", in.bits}, {"output_bits", out.bits}};
}

Params add(const Ends& e, const arch::Add& op) {
  const TensorQuant &a = e.inputs[0], &b = e.inputs[1];
  const int left_shift = a.bits == 16 || b.bits == 16 ? 15 : 20;  // so that inputs stay below 2^30
  Params params = {{"count", narrow(e.out.elements())}, {"left_shift", left_shift}, {"a_bits", a.bits},
                   {"a_offset", -a.zero_point},         {"b_bits", b.bits},         {"b_offset", -b.zero_point}};
  append(params, sum_scales(a.scale, b.scale, e.output.scale, left_shift, where(e)).params());
  append(params, output_params(e, op.clamp));
  return params;
}

// An input of one pixel multiplies every pixel of the other.
Params mul(const Ends& e) {
  const TensorQuant &a = e.inputs[0], &b = e.inputs[1];
  const Requant requant = quantize_multiplier(a.scale * b.scale / e.output.scale, where(e));
  const auto step = [&](const arch::Shape& input) { return input == e.out ? narrow(e.out.c) : 0; };
  Params params = {{"pixels", narrow(e.out.h * e.out.w)},
                   {"channels", narrow(e.out.c)},
                   {"a_bits", a.bits},
                   {"a_step", step(e.in[0])},
                   {"a_offset", -a.zero_point},
                   {"b_bits", b.bits},
                   {"b_step", step(e.in[1])},
                   {"b_offset", -b.zero_point},
                   {"multiplier", requant.multiplier},
                   {"shift", requant.shift}};
  append(params, output_params(e, arch::Clamp::None));
  return params;
}

void softmax_mul(const Ends& e, const arch::SoftmaxMul& op, Step& step) {
  const arch::Shape& in = e.in[0];
  const TensorQuant& value = e.inputs[1];
  const double rescale = op.rescale ? static_cast<double>(softmax_terms(op, in)) : 1.0;
  const Requant gain = quantize_gain(rescale * value.scale / e.output.scale, where(e));
  step.constants = {{"table", ConstantKind::Tables, exponential_table(e.inputs[0].scale)}};
  Params& params = step.calls.front().params;
  params = line_params(op, in);
  append(params, {{"value_bits", value.bits},
                  {"value_offset", -value.zero_point},
                  {"multiplier", gain.multiplier},
                  {"shift", gain.shift}});
  append(params, output_params(e, op.clamp));
}

// One call per input.
void concat(const Ends& e, Step& step) {
  step.calls.clear();
  int32_t first = 0;
  for (size_t k = 0; k < e.in.size(); ++k) {
    const TensorQuant& in = e.inputs[k];
    const int32_t channels = narrow(e.in[k].c);
    const Requant requant = quantize_multiplier(in.scale / e.output.scale, where(e));
    Call& call = step.calls.emplace_back(std::vector<int>{e.node.inputs[k]});
    call.params = {{"pixels", narrow(e.out.h * e.out.w)},
                   {"channels", channels},
                   {"first", first},
                   {"out_c", narrow(e.out.c)},
                   {"input_bits", in.bits},
                   {"input_offset", -in.zero_point},
                   {"copy", in == e.output ? 1 : 0},
                   {"multiplier", requant.multiplier},
                   {"shift", requant.shift}};
    append(call.params, output_params(e, arch::Clamp::None));
    first += channels;
  }
}

// The whole map is one window.
arch::AvgPool as_pool(const arch::Shape& in) {
  const arch::Size size{static_cast<int>(in.h), static_cast<int>(in.w)};
  return {.kernel = size, .stride = arch::square(1), .pad = {}};
}

Params avg_pool(const Ends& e, const arch::AvgPool& op) {
  Params params = pool_params(op, e.in[0], e.out);
  append(params, {{"count_padding", op.count_include_pad ? 1 : 0}});
  return params;
}

// Kernels that move bytes take a value of two bytes for two channels.
arch::Shape in_bytes(arch::Shape shape) {
  shape.c *= 2;
  return shape;
}

}  // namespace

void fill_int16_step(const Ends& e, Step& step) {
  Params& params = step.calls.front().params;
  arch::visit(e.op, arch::Overloaded{
                        [](const arch::Input&) {},
                        [](const arch::BatchNorm&) {},
                        [](const arch::Softmax&) {},
                        [&](const arch::Conv2d& op) { conv(e, op, step); },
                        [&](const arch::Linear& op) { conv(e, as_conv(op), step); },
                        [&](const arch::Activation& op) {
                          table(
                              e, [&](double x) { return activate(op.kind, x); }, step);
                        },
                        [&](const arch::Scale&) {
                          const double factor = e.weights.at(e.node.name + ".weight").f32()[0];
                          table(
                              e, [&](double x) { return factor * x; }, step);
                        },
                        [&](const arch::SoftmaxMul& op) { softmax_mul(e, op, step); },
                        [&](const arch::AvgPool& op) { params = avg_pool(e, op); },
                        [&](const arch::GlobalAvgPool&) { params = avg_pool(e, as_pool(e.in[0])); },
                        [&](const arch::MaxPool& op) { params = pool_params(op, e.in[0], e.out); },
                        [&](const arch::Add& op) { params = add(e, op); },
                        [&](const arch::Mul&) { params = mul(e); },
                        [](const arch::PRelu&) {},     // refused by int16_refusal()
                        [](const arch::BlurPool&) {},  // and these two
                        [](const arch::ChannelShuffle&) {},
                        [&](const arch::Upsample&) { params = map_params(in_bytes(e.in[0]), in_bytes(e.out)); },
                        [&](const arch::Concat&) { concat(e, step); },
                        [&](const arch::Slice& op) {
                          params = {{"pixels", narrow(e.in[0].h * e.in[0].w)},
                                    {"in_c", narrow(2 * e.in[0].c)},
                                    {"begin", 2 * op.begin},
                                    {"count", 2 * op.count}};
                        },
                    });
}

}  // namespace condenser::runtime
