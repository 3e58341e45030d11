/* Depthwise int8 convolution. Works on blocks of output channels whose sums live on the stack, so that the inner loop
 * runs over neighbouring bytes of input and weights. The order of the loops is a promise: the output may lie over the
 * input (see the header), so that each block is read to its end before it is written, pixel after pixel. */
#include "cnd_depthwise.h"

#include "cnd_fixed_point.h"

enum { CND_DEPTHWISE_BLOCK = 32 };

/* Adds one kernel tap: sum[i] += (input channel of output first + i) * w[i]. x points at channel 0 of the pixel. */
static void cnd_depthwise_tap(const cnd_depthwise_params* p, const int8_t* x, const int8_t* w, int32_t first,
                              int32_t count, int32_t* sum) {
  const int32_t multiple = p->out_c / p->in_c;
  if (multiple == 1) {
    for (int32_t i = 0; i < count; ++i) {
      sum[i] += ((int32_t)x[first + i] + p->input_offset) * (int32_t)w[i];
    }
    return;
  }
  int32_t channel = first / multiple;
  int32_t i = 0;
  while (i < count) {
    const int32_t value = (int32_t)x[channel] + p->input_offset;
    const int32_t channel_end = (channel + 1) * multiple - first;
    const int32_t end = channel_end < count ? channel_end : count;
    for (; i < end; ++i) {
      sum[i] += value * (int32_t)w[i];
    }
    ++channel;
  }
}

/* `count` output channels from `first` of the pixel whose window starts at (top, left), which may be negative. */
static void cnd_depthwise_block(const cnd_depthwise_params* p, const int8_t* weights, const int8_t* input, int32_t top,
                                int32_t left, int32_t first, int32_t count, int32_t* sum) {
  for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
    const int32_t y = top + ky;
    if (y < 0 || y >= p->in_h) {
      continue;
    }
    for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
      const int32_t x = left + kx;
      if (x < 0 || x >= p->in_w) {
        continue;
      }
      cnd_depthwise_tap(p, input + (y * p->in_w + x) * p->in_c, weights + (ky * p->kernel_w + kx) * p->out_c + first,
                        first, count, sum);
    }
  }
}

void cnd_depthwise(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, const int8_t* input, int8_t* output) {
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      int8_t* out = output + (oy * p->out_w + ox) * p->out_c;
      for (int32_t first = 0; first < p->out_c; first += CND_DEPTHWISE_BLOCK) {
        const int32_t left = p->out_c - first;
        const int32_t count = left < CND_DEPTHWISE_BLOCK ? left : CND_DEPTHWISE_BLOCK;
        int32_t sum[CND_DEPTHWISE_BLOCK];
        for (int32_t i = 0; i < count; ++i) {
          sum[i] = bias[first + i];
        }
        cnd_depthwise_block(p, weights, input, oy * p->stride_h - p->pad_top, ox * p->stride_w - p->pad_left, first,
                            count, sum);
        for (int32_t i = 0; i < count; ++i) {
          const int32_t o = first + i;
          out[o] = cnd_requantize_s8(sum[i], multiplier[o], shift[o], p->output_zero_point, p->act_min, p->act_max);
        }
      }
    }
  }
}
