/* Largest values of windows, channel by channel. */
#include "cnd_max_pool_a16.h"

static int32_t cnd_max_pool_a16_max(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t cnd_max_pool_a16_min(int32_t a, int32_t b) { return a < b ? a : b; }

void cnd_max_pool_a16(const cnd_max_pool_a16_params* p, const void* input, void* output) {
  const int16_t* in = (const int16_t*)input;
  int16_t* out = (int16_t*)output;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int32_t top = oy * p->stride_h - p->pad_top;
    const int32_t y0 = cnd_max_pool_a16_max(top, 0);
    const int32_t y1 = cnd_max_pool_a16_min(top + p->kernel_h, p->in_h);
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      const int32_t left = ox * p->stride_w - p->pad_left;
      const int32_t x0 = cnd_max_pool_a16_max(left, 0);
      const int32_t x1 = cnd_max_pool_a16_min(left + p->kernel_w, p->in_w);
      for (int32_t c = 0; c < p->channels; ++c) {
        int32_t largest = INT16_MIN;
        for (int32_t y = y0; y < y1; ++y) {
          for (int32_t x = x0; x < x1; ++x) {
            largest = cnd_max_pool_a16_max(largest, (int32_t)in[(y * p->in_w + x) * p->channels + c]);
          }
        }
        *out = (int16_t)largest;
        ++out;
      }
    }
  }
}
