/* Means of windows, channel by channel. */
#include "cnd_avg_pool_a16.h"

static int32_t cnd_avg_pool_a16_max(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t cnd_avg_pool_a16_min(int32_t a, int32_t b) { return a < b ? a : b; }

void cnd_avg_pool_a16(const cnd_avg_pool_a16_params* p, const void* input, void* output) {
  const int16_t* in = (const int16_t*)input;
  int16_t* out = (int16_t*)output;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int32_t top = oy * p->stride_h - p->pad_top;
    const int32_t y0 = cnd_avg_pool_a16_max(top, 0);
    const int32_t y1 = cnd_avg_pool_a16_min(top + p->kernel_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      const int32_t left = ox * p->stride_w - p->pad_left;
      const int32_t x0 = cnd_avg_pool_a16_max(left, 0);
      const int32_t x1 = cnd_avg_pool_a16_min(left + p->kernel_w, p->in_w);
      const int32_t pixels = p->count_padding != 0 ? p->kernel_h * p->kernel_w : (y1 - y0) * (x1 - x0);
      for (int32_t c = 0; c < p->channels; ++c) {
        int32_t sum = 0;
        for (int32_t y = y0; y < y1; ++y) {
          for (int32_t x = x0; x < x1; ++x) {
            sum += (int32_t)in[(y * p->in_w + x) * p->channels + c];
          }
        }
        *out = (int16_t)((sum >= 0 ? sum + pixels / 2 : sum - pixels / 2) / pixels);
        ++out;
      }
    }
  }
}
