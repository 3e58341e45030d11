#pragma once
// Operators with shapes and constants, and what their kernels are then called with: for tests of the kernels alone.

#include <cstdint>
#include <vector>

#include "condenser/runtime/int8_program.hpp"
#include "runtime/kernels/cnd_activation.h"
#include "runtime/kernels/cnd_add.h"
#include "runtime/kernels/cnd_avg_pool.h"
#include "runtime/kernels/cnd_blur_pool.h"
#include "runtime/kernels/cnd_channel_shuffle.h"
#include "runtime/kernels/cnd_concat.h"
#include "runtime/kernels/cnd_conv2d.h"
#include "runtime/kernels/cnd_depthwise.h"
#include "runtime/kernels/cnd_global_avg_pool.h"
#include "runtime/kernels/cnd_linear.h"
#include "runtime/kernels/cnd_max_pool.h"
#include "runtime/kernels/cnd_mul.h"
#include "runtime/kernels/cnd_prelu.h"
#include "runtime/kernels/cnd_slice.h"
#include "runtime/kernels/cnd_softmax_mul.h"
#include "runtime/kernels/cnd_upsample.h"

namespace condenser::runtime {

struct OutputRange {
  int32_t zero_point = 0;
  int32_t low = -128;
  int32_t high = 127;
};

struct ChannelConstants {
  std::vector<int32_t> bias;
  std::vector<int32_t> multiplier;
  std::vector<int8_t> shift;
};

struct ConvStep {
  arch::Conv2d op;
  arch::Shape in, out;
  int32_t input_zero_point = 0;
  OutputRange range;
  int32_t short_scale = 0;
  ChannelConstants channels;
};

struct LinearStep {
  int32_t in = 0, out = 0;
  int32_t input_zero_point = 0;
  OutputRange range;
  std::vector<int8_t> weights;  // [out, in]
  ChannelConstants channels;
  int32_t short_scale = 0;
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

struct AddStep {
  int32_t count = 0;
  int32_t a_zero_point = 0, b_zero_point = 0;
  Requant a, b, out;
  OutputRange range;
};

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

struct SoftmaxMulStep {
  int32_t pixels = 0, channels = 0;
  arch::SoftmaxAxis axis = arch::SoftmaxAxis::Channels;
  int32_t value_zero_point = 0, output_zero_point = 0;
  Requant gain;                 // value scale over output scale, times the number of terms if rescaled
  std::vector<uint16_t> table;  // 256 values, round(65535 exp(-attention scale * d))
};

inline int32_t i32(int64_t value) { return static_cast<int32_t>(value); }

template <class Params>
Params convolution_params(const ConvStep& s) {
  Params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.in_c = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w), p.out_c = i32(s.out.c);
  p.kernel_h = s.op.kernel.h, p.kernel_w = s.op.kernel.w;
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.pad_top = s.op.pad.top, p.pad_left = s.op.pad.left;
  p.input_zero_point = s.input_zero_point;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  p.short_scale = s.short_scale;
  return p;
}

inline cnd_conv2d_params conv2d_params(const ConvStep& s) {
  auto p = convolution_params<cnd_conv2d_params>(s);
  p.groups = s.op.groups;
  return p;
}

inline cnd_depthwise_params depthwise_params(const ConvStep& s) { return convolution_params<cnd_depthwise_params>(s); }

inline cnd_linear_params linear_params(const LinearStep& s) {
  cnd_linear_params p{};
  p.in_c = s.in, p.out_c = s.out;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  p.short_scale = s.short_scale;
  return p;
}

inline cnd_avg_pool_params avg_pool_params(const AvgPoolStep& s) {
  cnd_avg_pool_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  p.kernel_h = s.op.kernel.h, p.kernel_w = s.op.kernel.w;
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.pad_top = s.op.pad.top, p.pad_left = s.op.pad.left;
  p.zero_point = s.zero_point;
  p.count_padding = s.op.count_include_pad ? 1 : 0;
  return p;
}

inline cnd_max_pool_params max_pool_params(const MaxPoolStep& s) {
  cnd_max_pool_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  p.kernel_h = s.op.kernel.h, p.kernel_w = s.op.kernel.w;
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.pad_top = s.op.pad.top, p.pad_left = s.op.pad.left;
  return p;
}

inline cnd_add_params add_params(const AddStep& s) {
  cnd_add_params p{};
  p.count = s.count;
  p.a_offset = -s.a_zero_point, p.b_offset = -s.b_zero_point;
  p.a_multiplier = s.a.multiplier, p.a_shift = s.a.shift;
  p.b_multiplier = s.b.multiplier, p.b_shift = s.b.shift;
  p.out_multiplier = s.out.multiplier, p.out_shift = s.out.shift;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  return p;
}

inline cnd_softmax_mul_params softmax_mul_params(const SoftmaxMulStep& s) {
  cnd_softmax_mul_params p{};
  const bool over_channels = s.axis == arch::SoftmaxAxis::Channels;
  p.lines = over_channels ? s.pixels : s.channels, p.line_step = over_channels ? s.channels : 1;
  p.terms = over_channels ? s.channels : s.pixels, p.term_step = over_channels ? 1 : s.channels;
  p.value_offset = -s.value_zero_point;
  p.multiplier = s.gain.multiplier, p.shift = s.gain.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

inline cnd_mul_params mul_params(const MulStep& s) {
  cnd_mul_params p{};
  const auto step = [&](const arch::Shape& input) { return input == s.out ? i32(s.out.c) : 0; };
  p.pixels = i32(s.out.h * s.out.w), p.channels = i32(s.out.c);
  p.a_step = step(s.a), p.b_step = step(s.b);
  p.a_offset = -s.a_zero_point, p.b_offset = -s.b_zero_point;
  p.multiplier = s.out_scale.multiplier, p.shift = s.out_scale.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

inline cnd_prelu_params prelu_params(const PReluStep& s) {
  cnd_prelu_params p{};
  p.pixels = s.pixels, p.channels = s.channels;
  p.input_offset = -s.input_zero_point;
  p.positive_multiplier = s.positive.multiplier, p.positive_shift = s.positive.shift;
  p.negative_multiplier = s.negative.multiplier, p.negative_shift = s.negative.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

inline cnd_blur_pool_params blur_pool_params(const BlurPoolStep& s) {
  cnd_blur_pool_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.taps = s.op.taps;
  return p;
}

inline cnd_upsample_params upsample_params(const UpsampleStep& s) {
  cnd_upsample_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  return p;
}

inline cnd_concat_params concat_params(const ConcatStep& s, const ConcatPart& part) {
  cnd_concat_params p{};
  p.pixels = s.pixels, p.channels = part.channels;
  p.first = part.first, p.out_c = s.channels;
  p.copy = part.copy ? 1 : 0;
  p.input_offset = -part.input_zero_point;
  p.multiplier = part.requant.multiplier, p.shift = part.requant.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

inline cnd_slice_params slice_params(const SliceStep& s) {
  cnd_slice_params p{};
  p.pixels = i32(s.in.h * s.in.w), p.in_c = i32(s.in.c);
  p.begin = s.op.begin, p.count = s.op.count;
  return p;
}

inline cnd_channel_shuffle_params channel_shuffle_params(const ChannelShuffleStep& s) {
  cnd_channel_shuffle_params p{};
  p.pixels = i32(s.in.h * s.in.w), p.channels = i32(s.in.c);
  p.groups = s.op.groups;
  return p;
}

}  // namespace condenser::runtime
