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
  p.pixels = s.pixels, p.channels = s.channels;
  p.value_offset = -s.value_zero_point;
  p.multiplier = s.gain.multiplier, p.shift = s.gain.shift;
  p.output_zero_point = s.output_zero_point;
  return p;
}

}  // namespace condenser::runtime
