/* Random layers through the DSP forms of the kernels and through portable C, on a processor that has both: prints how
 * many were compared, or the first difference. Arguments: layers of each kernel, seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/arm_dsp/kernels.h"

enum { MOST = 8192, WEIGHTS = 65536, CHANNELS = 64 };

static uint32_t state = 1;
static int8_t weights[WEIGHTS], input[MOST], output[2][MOST];
static int8_t shift[CHANNELS];
static int32_t bias[CHANNELS], multiplier[CHANNELS];
static int16_t scratch[16384];

static int32_t between(int32_t low, int32_t high) {
  state = state * 1664525u + 1013904223u;
  return low + (int32_t)((state >> 8) % (uint32_t)(high - low + 1));
}

static int32_t most_of(int32_t a, int32_t b) { return a > b ? a : b; }

/* Where outputs lie: without clamp, rectified, cut on both sides. */
static void draw_range(int32_t* zero_point, int32_t* low, int32_t* high) {
  const int32_t kind = between(0, 3);
  *zero_point = kind == 0 ? -128 : between(-128, 127);
  *low = kind == 1 ? *zero_point : -128;
  *high = 127;
  if (kind == 2) {
    *low = between(-128, 100);
    *high = between(*low, 127);
  }
}

static void draw_values(int32_t values, int32_t weight_count, int32_t channels, int32_t is_short) {
  for (int32_t i = 0; i < values; ++i) {
    input[i] = (int8_t)between(-128, 127);
  }
  for (int32_t i = 0; i < weight_count; ++i) {
    weights[i] = (int8_t)between(-127, 127);
  }
  for (int32_t i = 0; i < channels; ++i) {
    bias[i] = between(-100000, 100000);
    multiplier[i] = (1 << 30) + between(0, (1 << 30) - 1);
    shift[i] = (int8_t)(is_short != 0 ? (between(0, 9) == 0 ? between(-31, -1) : between(-16, -9)) : between(-20, 2));
  }
}

/* Kernel, stride and padding along one axis; what comes out. */
static int32_t draw_axis(int32_t in, int32_t* kernel, int32_t* stride, int32_t* pad) {
  *kernel = between(0, 1) == 0 ? 3 : between(1, 5);
  *stride = between(1, 2 + between(0, 1));
  *pad = between(0, *kernel - 1);
  return (in + *pad + between(0, *kernel - 1) - *kernel) / *stride + 1;
}

static int32_t conv2d(int32_t depthwise, int32_t bits) {
  cnd_conv2d_params p;
  do {
    p.groups = between(0, 2) == 0 ? between(2, 4) : 1;
    p.in_h = between(1, 17);
    p.in_w = between(1, 17);
    p.in_c = depthwise != 0 ? between(1, 20) : p.groups * between(1, 24);
    p.out_c = depthwise != 0 ? p.in_c * between(1, 2) : p.groups * between(1, 12);
    p.out_h = draw_axis(p.in_h, &p.kernel_h, &p.stride_h, &p.pad_top);
    p.out_w = draw_axis(p.in_w, &p.kernel_w, &p.stride_w, &p.pad_left);
    if (depthwise == 0 && between(0, 2) == 0) {
      p.kernel_h = p.kernel_w = p.stride_h = p.stride_w = 1;
      p.pad_top = p.pad_left = 0;
      p.out_h = p.in_h;
      p.out_w = p.in_w;
    }
  } while (p.out_h < 1 || p.out_w < 1 || p.in_h * p.in_w * p.in_c > MOST || p.out_h * p.out_w * p.out_c > MOST ||
           p.kernel_h * p.kernel_w * most_of(p.in_c, p.out_c) * p.out_c > WEIGHTS);
  p.input_zero_point = between(-128, 127);
  p.short_scale = between(0, 3) > 0 ? 1 : 0;
  draw_range(&p.output_zero_point, &p.act_min, &p.act_max);
  draw_values(p.in_h * p.in_w * p.in_c, p.kernel_h * p.kernel_w * (depthwise != 0 ? 1 : p.in_c / p.groups) * p.out_c,
              p.out_c, p.short_scale);
  const size_t bytes = (size_t)(p.out_h * p.out_w * p.out_c);
  if (depthwise != 0) {
    const cnd_depthwise_params d = {p.in_h,
                                    p.in_w,
                                    p.in_c,
                                    p.out_h,
                                    p.out_w,
                                    p.out_c,
                                    p.kernel_h,
                                    p.kernel_w,
                                    p.stride_h,
                                    p.stride_w,
                                    p.pad_top,
                                    p.pad_left,
                                    p.input_zero_point,
                                    p.output_zero_point,
                                    p.act_min,
                                    p.act_max,
                                    p.short_scale};
    (bits == 4 ? cnd_depthwise_w4 : cnd_depthwise)(&d, weights, bias, multiplier, shift, scratch, input, output[0]);
    (bits == 4 ? cnd_depthwise_w4_dsp : cnd_depthwise_dsp)(&d, weights, bias, multiplier, shift, scratch, input,
                                                           output[1]);
  } else {
    (bits == 4 ? cnd_conv2d_w4 : cnd_conv2d)(&p, weights, bias, multiplier, shift, scratch, input, output[0]);
    (bits == 4 ? cnd_conv2d_w4_dsp : cnd_conv2d_dsp)(&p, weights, bias, multiplier, shift, scratch, input, output[1]);
  }
  if (memcmp(output[0], output[1], bytes) == 0) {
    return 1;
  }
  printf("%d bits: %s %dx%dx%d to %dx%dx%d, window %dx%d, stride %d %d, padding %d %d, groups %d, short %d\n",
         (int)bits, depthwise != 0 ? "depthwise" : "conv2d", (int)p.in_h, (int)p.in_w, (int)p.in_c, (int)p.out_h,
         (int)p.out_w, (int)p.out_c, (int)p.kernel_h, (int)p.kernel_w, (int)p.stride_h, (int)p.stride_w, (int)p.pad_top,
         (int)p.pad_left, (int)p.groups, (int)p.short_scale);
  return 0;
}

static int32_t linear(int32_t bits) {
  cnd_linear_params p;
  p.in_c = between(0, 1) == 0 ? 4 * between(1, 60) : between(1, 240);
  p.out_c = between(1, 40);
  p.short_scale = between(0, 3) > 0 ? 1 : 0;
  draw_range(&p.output_zero_point, &p.act_min, &p.act_max);
  draw_values(p.in_c, p.in_c * p.out_c, p.out_c, p.short_scale);
  if (bits == 4) {
    const cnd_linear_w4_params q = {p.in_c, p.out_c, p.output_zero_point, p.act_min, p.act_max, p.short_scale};
    cnd_linear_w4(&q, weights, bias, multiplier, shift, input, output[0]);
    cnd_linear_w4_dsp(&q, weights, bias, multiplier, shift, input, output[1]);
  } else {
    cnd_linear(&p, weights, bias, multiplier, shift, input, output[0]);
    cnd_linear_dsp(&p, weights, bias, multiplier, shift, input, output[1]);
  }
  if (memcmp(output[0], output[1], (size_t)p.out_c) == 0) {
    return 1;
  }
  printf("%d bits: linear %d to %d, short %d\n", (int)bits, (int)p.in_c, (int)p.out_c, (int)p.short_scale);
  return 0;
}

int main(int argc, char** argv) {
  const int32_t count = argc > 1 ? atoi(argv[1]) : 1000;
  state = argc > 2 ? (uint32_t)atoi(argv[2]) : 1u;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t bits = i % 3 == 0 ? 4 : 8;
    if (conv2d(0, bits) == 0 || conv2d(1, bits) == 0 || linear(bits) == 0) {
      return 1;
    }
  }
  printf("%d layers of each kernel are equal\n", (int)count);
  return 0;
}
