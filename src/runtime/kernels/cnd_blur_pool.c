/* Binomial filter. Works on blocks of channels whose sums live on the stack. */
#include "cnd_blur_pool.h"

#include "cnd_mean.h"

enum { CND_BLUR_POOL_BLOCK = 32 };

static const int32_t cnd_blur_pool_taps3[3] = {1, 2, 1};
static const int32_t cnd_blur_pool_taps5[5] = {1, 4, 6, 4, 1};

static int32_t cnd_blur_pool_mirror(int32_t i, int32_t extent) {
  return i < 0 ? -i : (i < extent ? i : 2 * (extent - 1) - i);
}

/* Weighted sums of `count` channels from `first` over the window at (top, left). */
static void cnd_blur_pool_sum(const cnd_blur_pool_params* p, const int32_t* taps, const int8_t* input, int32_t top,
                              int32_t left, int32_t first, int32_t count, int32_t* sum) {
  for (int32_t ky = 0; ky < p->taps; ++ky) {
    const int32_t y = cnd_blur_pool_mirror(top + ky, p->in_h);
    for (int32_t kx = 0; kx < p->taps; ++kx) {
      const int32_t x = cnd_blur_pool_mirror(left + kx, p->in_w);
      const int32_t weight = taps[ky] * taps[kx];
      const int8_t* in = input + (y * p->in_w + x) * p->channels + first;
      for (int32_t i = 0; i < count; ++i) {
        sum[i] += weight * (int32_t)in[i];
      }
    }
  }
}

void cnd_blur_pool(const cnd_blur_pool_params* p, const int8_t* input, int8_t* output) {
  const int32_t* taps = p->taps == 3 ? cnd_blur_pool_taps3 : cnd_blur_pool_taps5;
  const int32_t total = p->taps == 3 ? 16 : 256;
  const int32_t half = p->taps / 2;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      int8_t* out = output + (oy * p->out_w + ox) * p->channels;
      for (int32_t first = 0; first < p->channels; first += CND_BLUR_POOL_BLOCK) {
        const int32_t left = p->channels - first;
        const int32_t count = left < CND_BLUR_POOL_BLOCK ? left : CND_BLUR_POOL_BLOCK;
        int32_t sum[CND_BLUR_POOL_BLOCK] = {0};
        cnd_blur_pool_sum(p, taps, input, oy * p->stride_h - half, ox * p->stride_w - half, first, count, sum);
        for (int32_t i = 0; i < count; ++i) {
          out[first + i] = cnd_mean_s8(sum[i], total);
        }
      }
    }
  }
}
