/* Average pooling. Works on blocks of channels whose sums live on the stack. */
#include "cnd_avg_pool.h"

#include "cnd_dsp.h"
#include "cnd_mean.h"
#include "cnd_wide.h"

enum { CND_AVG_POOL_BLOCK = 32 };

/* The part of a window that lies inside the input. */
typedef struct {
  int32_t y0, y1, x0, x1;
} cnd_avg_pool_window;

/* Sums `count` channels from the one that `input` points at over the window. */
static void cnd_avg_pool_sum(const cnd_avg_pool_params* p, const int8_t* input, const cnd_avg_pool_window* w,
                             int32_t count, int32_t* sum) {
  int32_t i = 0;
#ifdef CND_DSP
  /* Four channels as two words of 16-bit sums, where those cannot overflow. */
  for (; i + 4 <= count && p->kernel_h * p->kernel_w <= 255; i += 4) {
    uint32_t even = 0;
    uint32_t odd = 0;
    for (int32_t y = w->y0; y < w->y1; ++y) {
      const int8_t* in = input + (y * p->in_w + w->x0) * p->channels + i;
      for (int32_t x = w->x0; x < w->x1; ++x) {
        const uint32_t four = cnd_load_4x8(in);
        even = cnd_sxtab16(even, four);
        odd = cnd_sxtab16_ror8(odd, four);
        in += p->channels;
      }
    }
    sum[i] = cnd_low(even);
    sum[i + 1] = cnd_low(odd);
    sum[i + 2] = cnd_high(even);
    sum[i + 3] = cnd_high(odd);
  }
#endif
  for (int32_t k = i; k < count; ++k) {
    sum[k] = 0;
  }
  for (int32_t y = w->y0; y < w->y1 && i < count; ++y) {
    const int8_t* in = input + (y * p->in_w + w->x0) * p->channels;
    for (int32_t x = w->x0; x < w->x1; ++x) {
      for (int32_t k = i; k < count; ++k) {
        sum[k] += (int32_t)in[k];
      }
      in += p->channels;
    }
  }
}

#ifdef CND_WIDE
enum { CND_AVG_POOL_MOST = 255 };

/* One pixel, 16 channels at once; the last 16 may overlap others. At most CND_AVG_POOL_MOST pixels a window: with
 * |sum| + divisor / 2 < 129 * 255, a product with ceil(2^24 / divisor) gives the exact quotient. */
static void cnd_avg_pool_wide(const cnd_avg_pool_params* p, const int8_t* input, const cnd_avg_pool_window* w,
                              int32_t padding, int32_t divisor, int8_t* out) {
  const cnd_16 half = cnd_16_set(divisor / 2);
  const cnd_16 factor = cnd_16_set(((int32_t)1 << 24) / divisor + 1);
  for (int32_t i = 0; i < p->channels; i += 16) {
    const int32_t at = i + 16 <= p->channels ? i : p->channels - 16;
    cnd_16 sum = cnd_16_set(padding);
    for (int32_t y = w->y0; y < w->y1; ++y) {
      const int8_t* in = input + (y * p->in_w + w->x0) * p->channels + at;
      for (int32_t x = w->x0; x < w->x1; ++x) {
        sum = cnd_16_add_bytes(sum, in);
        in += p->channels;
      }
    }
    const cnd_16 magnitude = cnd_16_mul(cnd_16_add(cnd_16_abs(sum), half), factor);
    const cnd_16 mean = cnd_16_signed(cnd_16_shift_right(magnitude, 24), sum);
    cnd_store_16x8(out + at, cnd_16_narrow(mean, INT8_MIN, INT8_MAX));
  }
}
#endif

static int32_t cnd_avg_pool_max(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t cnd_avg_pool_min(int32_t a, int32_t b) { return a < b ? a : b; }

void cnd_avg_pool(const cnd_avg_pool_params* p, const int8_t* input, int8_t* output) {
  const int32_t area = p->kernel_h * p->kernel_w;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int32_t top = oy * p->stride_h - p->pad_top;
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      const int32_t left = ox * p->stride_w - p->pad_left;
      const cnd_avg_pool_window w = {cnd_avg_pool_max(top, 0), cnd_avg_pool_min(top + p->kernel_h, p->in_h),
                                     cnd_avg_pool_max(left, 0), cnd_avg_pool_min(left + p->kernel_w, p->in_w)};
      const int32_t pixels = (w.y1 - w.y0) * (w.x1 - w.x0);
      const int32_t padding = p->count_padding ? (area - pixels) * p->zero_point : 0;
      const int32_t divisor = p->count_padding ? area : pixels;
      int8_t* out = output + (oy * p->out_w + ox) * p->channels;
#ifdef CND_WIDE
      if (p->channels >= 16 && area <= CND_AVG_POOL_MOST) {
        cnd_avg_pool_wide(p, input, &w, padding, divisor, out);
        continue;
      }
#endif
      for (int32_t first = 0; first < p->channels; first += CND_AVG_POOL_BLOCK) {
        const int32_t count = cnd_avg_pool_min(p->channels - first, CND_AVG_POOL_BLOCK);
        int32_t sum[CND_AVG_POOL_BLOCK];
        cnd_avg_pool_sum(p, input + first, &w, count, sum);
        for (int32_t i = 0; i < count; ++i) {
          out[first + i] = cnd_mean_s8(sum[i] + padding, divisor);
        }
      }
    }
  }
}
