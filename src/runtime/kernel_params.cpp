// Steps as kernel parameters: nothing but copying; all numbers were checked when the program was built.
#include "runtime/kernel_params.hpp"

namespace condenser::runtime {
namespace {

int32_t i32(int64_t value) { return static_cast<int32_t>(value); }

}  // namespace

cnd_conv2d_params conv2d_params(const ConvStep& s) {
  cnd_conv2d_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.in_c = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w), p.out_c = i32(s.out.c);
  p.kernel_h = s.op.kernel.h, p.kernel_w = s.op.kernel.w;
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.pad_top = s.op.pad.top, p.pad_left = s.op.pad.left;
  p.groups = s.op.groups;
  p.input_offset = -s.input_zero_point;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  return p;
}

cnd_depthwise_params depthwise_params(const ConvStep& s) {
  cnd_depthwise_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.in_c = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w), p.out_c = i32(s.out.c);
  p.kernel_h = s.op.kernel.h, p.kernel_w = s.op.kernel.w;
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.pad_top = s.op.pad.top, p.pad_left = s.op.pad.left;
  p.input_offset = -s.input_zero_point;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  return p;
}

cnd_pointwise_params pointwise_params(const ConvStep& s) {
  cnd_pointwise_params p{};
  p.pixels = i32(s.in.h * s.in.w);
  p.in_c = i32(s.in.c), p.out_c = i32(s.out.c);
  p.input_offset = -s.input_zero_point;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  return p;
}

cnd_linear_params linear_params(const LinearStep& s) {
  cnd_linear_params p{};
  p.in_c = s.in, p.out_c = s.out;
  p.input_offset = -s.input_zero_point;
  p.output_zero_point = s.range.zero_point;
  p.act_min = s.range.low, p.act_max = s.range.high;
  return p;
}

cnd_avg_pool_params avg_pool_params(const AvgPoolStep& s) {
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

cnd_max_pool_params max_pool_params(const MaxPoolStep& s) {
  cnd_max_pool_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  p.kernel_h = s.op.kernel.h, p.kernel_w = s.op.kernel.w;
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.pad_top = s.op.pad.top, p.pad_left = s.op.pad.left;
  return p;
}

cnd_add_params add_params(const AddStep& s) {
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

cnd_softmax_mul_params softmax_mul_params(const SoftmaxMulStep& s) {
  cnd_softmax_mul_params p{};
  const bool over_channels = s.axis == arch::SoftmaxAxis::Channels;
  p.lines = over_channels ? s.pixels : s.channels, p.line_step = over_channels ? s.channels : 1;
  p.terms = over_channels ? s.channels : s.pixels, p.term_step = over_channels ? 1 : s.channels;
  p.value_offset = -s.value_zero_point;
  p.multiplier = s.gain.multiplier, p.shift = s.gain.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

cnd_mul_params mul_params(const MulStep& s) {
  cnd_mul_params p{};
  const auto step = [&](const arch::Shape& input) { return input == s.out ? i32(s.out.c) : 0; };
  p.pixels = i32(s.out.h * s.out.w), p.channels = i32(s.out.c);
  p.a_step = step(s.a), p.b_step = step(s.b);
  p.a_offset = -s.a_zero_point, p.b_offset = -s.b_zero_point;
  p.multiplier = s.out_scale.multiplier, p.shift = s.out_scale.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

cnd_prelu_params prelu_params(const PReluStep& s) {
  cnd_prelu_params p{};
  p.pixels = s.pixels, p.channels = s.channels;
  p.input_offset = -s.input_zero_point;
  p.positive_multiplier = s.positive.multiplier, p.positive_shift = s.positive.shift;
  p.negative_multiplier = s.negative.multiplier, p.negative_shift = s.negative.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

cnd_blur_pool_params blur_pool_params(const BlurPoolStep& s) {
  cnd_blur_pool_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  p.stride_h = s.op.stride.h, p.stride_w = s.op.stride.w;
  p.taps = s.op.taps;
  return p;
}

cnd_upsample_params upsample_params(const UpsampleStep& s) {
  cnd_upsample_params p{};
  p.in_h = i32(s.in.h), p.in_w = i32(s.in.w), p.channels = i32(s.in.c);
  p.out_h = i32(s.out.h), p.out_w = i32(s.out.w);
  return p;
}

cnd_concat_params concat_params(const ConcatStep& s, const ConcatPart& part) {
  cnd_concat_params p{};
  p.pixels = s.pixels, p.channels = part.channels;
  p.first = part.first, p.out_c = s.channels;
  p.copy = part.copy ? 1 : 0;
  p.input_offset = -part.input_zero_point;
  p.multiplier = part.requant.multiplier, p.shift = part.requant.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

cnd_slice_params slice_params(const SliceStep& s) {
  cnd_slice_params p{};
  p.pixels = i32(s.in.h * s.in.w), p.in_c = i32(s.in.c);
  p.begin = s.op.begin, p.count = s.op.count;
  return p;
}

cnd_channel_shuffle_params channel_shuffle_params(const ChannelShuffleStep& s) {
  cnd_channel_shuffle_params p{};
  p.pixels = i32(s.in.h * s.in.w), p.channels = i32(s.in.c);
  p.groups = s.op.groups;
  return p;
}

}  // namespace condenser::runtime
