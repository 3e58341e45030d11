/* Maximum pooling, over neighbouring channels in the inner loop. */
#include "cnd_max_pool.h"

void cnd_max_pool(const cnd_max_pool_params* p, const int8_t* input, int8_t* output) {
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      int8_t* out = output + (oy * p->out_w + ox) * p->channels;
      for (int32_t i = 0; i < p->channels; ++i) {
        out[i] = INT8_MIN;
      }
      for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        const int32_t y = oy * p->stride_h - p->pad_top + ky;
        if (y < 0 || y >= p->in_h) {
          continue;
        }
        for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
          const int32_t x = ox * p->stride_w - p->pad_left + kx;
          if (x < 0 || x >= p->in_w) {
            continue;
          }
          const int8_t* in = input + (y * p->in_w + x) * p->channels;
          for (int32_t i = 0; i < p->channels; ++i) {
            out[i] = in[i] > out[i] ? in[i] : out[i];
          }
        }
      }
    }
  }
}
