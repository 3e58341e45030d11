/* Average pooling. Works on blocks of channels whose sums live on the stack. */
#include "cnd_avg_pool.h"

#include "cnd_mean.h"

enum { CND_AVG_POOL_BLOCK = 32 };

/* Sums `count` channels from `first` over the window at (top, left); returns the number of pixels inside the input. */
static int32_t cnd_avg_pool_sum(const cnd_avg_pool_params* p, const int8_t* input, int32_t top, int32_t left,
                                int32_t first, int32_t count, int32_t* sum) {
  int32_t pixels = 0;
  for (int32_t y = top; y < top + p->kernel_h; ++y) {
    if (y < 0 || y >= p->in_h) {
      continue;
    }
    for (int32_t x = left; x < left + p->kernel_w; ++x) {
      if (x < 0 || x >= p->in_w) {
        continue;
      }
      const int8_t* in = input + (y * p->in_w + x) * p->channels + first;
      for (int32_t i = 0; i < count; ++i) {
        sum[i] += (int32_t)in[i];
      }
      ++pixels;
    }
  }
  return pixels;
}

void cnd_avg_pool(const cnd_avg_pool_params* p, const int8_t* input, int8_t* output) {
  const int32_t area = p->kernel_h * p->kernel_w;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      int8_t* out = output + (oy * p->out_w + ox) * p->channels;
      for (int32_t first = 0; first < p->channels; first += CND_AVG_POOL_BLOCK) {
        const int32_t left = p->channels - first;
        const int32_t count = left < CND_AVG_POOL_BLOCK ? left : CND_AVG_POOL_BLOCK;
        int32_t sum[CND_AVG_POOL_BLOCK] = {0};
        const int32_t pixels = cnd_avg_pool_sum(p, input, oy * p->stride_h - p->pad_top, ox * p->stride_w - p->pad_left,
                                                first, count, sum);
        const int32_t padding = p->count_padding ? (area - pixels) * p->zero_point : 0;
        const int32_t divisor = p->count_padding ? area : pixels;
        for (int32_t i = 0; i < count; ++i) {
          out[first + i] = cnd_mean_s8(sum[i] + padding, divisor);
        }
      }
    }
  }
}
