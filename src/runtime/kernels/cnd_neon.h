/* Advanced SIMD of AArch64, with dot products where the target has them; see cnd_wide.h. */
#ifndef CND_NEON_H
#define CND_NEON_H

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN) && !defined(CND_NO_SIMD)
#define CND_WIDE 1

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "cnd_dsp.h"

typedef struct {
  int32x4_t a, b, c, d;
} cnd_16;

typedef int8x16_t cnd_bytes_16;

CND_INLINE cnd_bytes_16 cnd_load_16x8(const int8_t* from) { return vld1q_s8(from); }

CND_INLINE void cnd_store_16x8(int8_t* to, cnd_bytes_16 x) { vst1q_s8(to, x); }

CND_INLINE cnd_bytes_16 cnd_bytes_max(cnd_bytes_16 a, cnd_bytes_16 b) { return vmaxq_s8(a, b); }

CND_INLINE cnd_16 cnd_16_set(int32_t x) {
  const int32x4_t v = vdupq_n_s32(x);
  const cnd_16 all = {v, v, v, v};
  return all;
}
CND_INLINE cnd_16 cnd_16_load(const int32_t* from) {
  const cnd_16 x = {vld1q_s32(from), vld1q_s32(from + 4), vld1q_s32(from + 8), vld1q_s32(from + 12)};
  return x;
}
CND_INLINE void cnd_16_store(int32_t* to, cnd_16 x) {
  vst1q_s32(to, x.a);
  vst1q_s32(to + 4, x.b);
  vst1q_s32(to + 8, x.c);
  vst1q_s32(to + 12, x.d);
}
CND_INLINE cnd_16 cnd_16_widen(const int8_t* from) {
  const int8x16_t x = vld1q_s8(from);
  const int16x8_t low = vmovl_s8(vget_low_s8(x));
  const int16x8_t high = vmovl_high_s8(x);
  const cnd_16 wide = {vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)),
                       vmovl_high_s16(high)};
  return wide;
}
CND_INLINE cnd_16 cnd_16_add(cnd_16 x, cnd_16 y) {
  const cnd_16 sum = {vaddq_s32(x.a, y.a), vaddq_s32(x.b, y.b), vaddq_s32(x.c, y.c), vaddq_s32(x.d, y.d)};
  return sum;
}
CND_INLINE cnd_16 cnd_16_add_bytes(cnd_16 x, const int8_t* from) {
  const int8x16_t y = vld1q_s8(from);
  const int16x8_t low = vmovl_s8(vget_low_s8(y));
  const int16x8_t high = vmovl_high_s8(y);
  const cnd_16 sum = {vaddw_s16(x.a, vget_low_s16(low)), vaddw_high_s16(x.b, low), vaddw_s16(x.c, vget_low_s16(high)),
                      vaddw_high_s16(x.d, high)};
  return sum;
}
CND_INLINE cnd_16 cnd_16_widen_u16(const uint16_t* from) {
  const uint16x8_t low = vld1q_u16(from);
  const uint16x8_t high = vld1q_u16(from + 8);
  const cnd_16 wide = {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))), vreinterpretq_s32_u32(vmovl_high_u16(low)),
                       vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))),
                       vreinterpretq_s32_u32(vmovl_high_u16(high))};
  return wide;
}
CND_INLINE cnd_16 cnd_16_mul(cnd_16 x, cnd_16 y) {
  const cnd_16 product = {vmulq_s32(x.a, y.a), vmulq_s32(x.b, y.b), vmulq_s32(x.c, y.c), vmulq_s32(x.d, y.d)};
  return product;
}
CND_INLINE cnd_16 cnd_16_shift_left(cnd_16 x, int32_t n) {
  const int32x4_t by = vdupq_n_s32(n);
  const cnd_16 shifted = {vshlq_s32(x.a, by), vshlq_s32(x.b, by), vshlq_s32(x.c, by), vshlq_s32(x.d, by)};
  return shifted;
}
CND_INLINE cnd_16 cnd_16_min(cnd_16 x, cnd_16 y) {
  const cnd_16 least = {vminq_s32(x.a, y.a), vminq_s32(x.b, y.b), vminq_s32(x.c, y.c), vminq_s32(x.d, y.d)};
  return least;
}
CND_INLINE cnd_16 cnd_16_abs(cnd_16 x) {
  const cnd_16 result = {vabsq_s32(x.a), vabsq_s32(x.b), vabsq_s32(x.c), vabsq_s32(x.d)};
  return result;
}

CND_INLINE int32x4_t cnd_4_shift_right(int32x4_t x, int32x4_t by) {
  return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(x), by));
}

/* Without a sign. */
CND_INLINE cnd_16 cnd_16_shift_right(cnd_16 x, int32_t n) {
  const int32x4_t by = vdupq_n_s32(-n);
  const cnd_16 shifted = {cnd_4_shift_right(x.a, by), cnd_4_shift_right(x.b, by), cnd_4_shift_right(x.c, by),
                          cnd_4_shift_right(x.d, by)};
  return shifted;
}

CND_INLINE int32x4_t cnd_4_signed(int32x4_t x, int32x4_t s) {
  const int32x4_t mask = vshrq_n_s32(s, 31);
  return vsubq_s32(veorq_s32(x, mask), mask);
}

/* -x where the sign of s is minus. */
CND_INLINE cnd_16 cnd_16_signed(cnd_16 x, cnd_16 s) {
  const cnd_16 result = {cnd_4_signed(x.a, s.a), cnd_4_signed(x.b, s.b), cnd_4_signed(x.c, s.c),
                         cnd_4_signed(x.d, s.d)};
  return result;
}

CND_INLINE int32x4_t cnd_4_high(int32x4_t x, int32x4_t y) {
  const uint32x4_t a = vreinterpretq_u32_s32(x);
  const uint32x4_t b = vreinterpretq_u32_s32(y);
  const uint64x2_t low = vmull_u32(vget_low_u32(a), vget_low_u32(b));
  const uint64x2_t high = vmull_high_u32(a, b);
  return vreinterpretq_s32_u32(vuzp2q_u32(vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high)));
}

/* The upper half of a product without signs. */
CND_INLINE cnd_16 cnd_16_high(cnd_16 x, cnd_16 y) {
  const cnd_16 high = {cnd_4_high(x.a, y.a), cnd_4_high(x.b, y.b), cnd_4_high(x.c, y.c), cnd_4_high(x.d, y.d)};
  return high;
}

/* The doubling high product rounds ties upwards, as the profile does; the shift does so too, so that what is negative
 * is rounded from one below. */
CND_INLINE int32x4_t cnd_4_scale(int32x4_t x, int32x4_t multiplier, int32x4_t shift, int32x4_t zero_point) {
  const int32x4_t high = vqrdmulhq_s32(x, multiplier);
  return vaddq_s32(vrshlq_s32(vsraq_n_s32(high, high, 31), shift), zero_point);
}

/* cnd_scale_short() before it saturates: both roundings of the profile; shift < 0, |x| < 2^30. */
CND_INLINE cnd_16 cnd_16_scale(cnd_16 x, cnd_16 multiplier, cnd_16 shift, int32_t zero_point) {
  const int32x4_t zero = vdupq_n_s32(zero_point);
  const cnd_16 scaled = {cnd_4_scale(x.a, multiplier.a, shift.a, zero), cnd_4_scale(x.b, multiplier.b, shift.b, zero),
                         cnd_4_scale(x.c, multiplier.c, shift.c, zero), cnd_4_scale(x.d, multiplier.d, shift.d, zero)};
  return scaled;
}

/* Saturated to int8 and then kept within low..high. */
CND_INLINE cnd_bytes_16 cnd_16_narrow(cnd_16 x, int32_t low, int32_t high) {
  const int16x8_t ab = vqmovn_high_s32(vqmovn_s32(x.a), x.b);
  const int16x8_t cd = vqmovn_high_s32(vqmovn_s32(x.c), x.d);
  const int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(ab), cd);
  return vminq_s8(vmaxq_s8(bytes, vdupq_n_s8((int8_t)low)), vdupq_n_s8((int8_t)high));
}

/* Values and weights as they are. */
typedef int8_t cnd_value;
typedef int8_t cnd_weight;
#define CND_STEP 4

CND_INLINE void cnd_values_put(cnd_value* to, const int8_t* x, int32_t count) {
  for (; count >= 16; count -= 16) {
    vst1q_s8(to, vld1q_s8(x));
    to += 16;
    x += 16;
  }
  for (; count > 0; --count) {
    *to++ = *x++;
  }
}

CND_INLINE void cnd_values_fill(cnd_value* to, int32_t x, int32_t count) { (void)memset(to, x, (size_t)count); }

/* Four rows of 16 weights, `stride` apart: four words of each row become columns, 16 words apart. */
CND_INLINE void cnd_weights_4(const int8_t* w, int32_t stride, cnd_weight* to) {
  const int32x4_t a = vreinterpretq_s32_s8(vld1q_s8(w));
  const int32x4_t b = vreinterpretq_s32_s8(vld1q_s8(w + stride));
  const int32x4_t c = vreinterpretq_s32_s8(vld1q_s8(w + 2 * stride));
  const int32x4_t d = vreinterpretq_s32_s8(vld1q_s8(w + 3 * stride));
  const int64x2_t ab = vreinterpretq_s64_s32(vzip1q_s32(a, b));
  const int64x2_t cd = vreinterpretq_s64_s32(vzip1q_s32(c, d));
  const int64x2_t ab_high = vreinterpretq_s64_s32(vzip2q_s32(a, b));
  const int64x2_t cd_high = vreinterpretq_s64_s32(vzip2q_s32(c, d));
  vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(ab, cd)));
  vst1q_s8(to + 64, vreinterpretq_s8_s64(vzip2q_s64(ab, cd)));
  vst1q_s8(to + 128, vreinterpretq_s8_s64(vzip1q_s64(ab_high, cd_high)));
  vst1q_s8(to + 192, vreinterpretq_s8_s64(vzip2q_s64(ab_high, cd_high)));
}

CND_INLINE int8x16_t cnd_tile_word(const cnd_value* x) {
  int32_t word;
  (void)memcpy(&word, x, sizeof word);
  return vreinterpretq_s8_s32(vdupq_n_s32(word));
}

#ifdef __ARM_FEATURE_DOTPROD

#define CND_PIXELS 4

CND_INLINE cnd_16 cnd_tile_step(cnd_16 s, int8x16_t x, int8x16_t wa, int8x16_t wb, int8x16_t wc, int8x16_t wd) {
  const cnd_16 sum = {vdotq_s32(s.a, wa, x), vdotq_s32(s.b, wb, x), vdotq_s32(s.c, wc, x), vdotq_s32(s.d, wd, x)};
  return sum;
}

#define CND_TILE_LANE(s, x, lane)          \
  s.a = vdotq_laneq_s32(s.a, wa, x, lane); \
  s.b = vdotq_laneq_s32(s.b, wb, x, lane); \
  s.c = vdotq_laneq_s32(s.c, wc, x, lane); \
  s.d = vdotq_laneq_s32(s.d, wd, x, lane);

#define CND_TILE_STEP(lane)                \
  {                                        \
    const int8x16_t wa = vld1q_s8(w);      \
    const int8x16_t wb = vld1q_s8(w + 16); \
    const int8x16_t wc = vld1q_s8(w + 32); \
    const int8x16_t wd = vld1q_s8(w + 48); \
    w += 64;                               \
    CND_TILE_LANE(s0, x0, lane)            \
    CND_TILE_LANE(s1, x1, lane)            \
    CND_TILE_LANE(s2, x2, lane)            \
    CND_TILE_LANE(s3, x3, lane)            \
  }

/* Sums of 16 channels of CND_PIXELS pixels, `apart` values from one to the next. Windows are `lines` runs of `steps`
 * steps: line number `line` of `lines` that lie `row` values apart comes first. */
CND_INLINE void cnd_tile_sums_16(const cnd_value* ring, int32_t line, int32_t lines, int32_t row, int32_t apart,
                                 const cnd_weight* w, int32_t steps, const int32_t* start, int32_t* sums) {
  cnd_16 s0 = cnd_16_load(start);
  cnd_16 s1 = s0;
  cnd_16 s2 = s0;
  cnd_16 s3 = s0;
  for (int32_t k = 0; k < lines; ++k) {
    const cnd_value* x = ring + line * row;
    int32_t left = steps;
    line = line + 1 < lines ? line + 1 : 0;
    for (; left >= 4; left -= 4) {
      const int8x16_t x0 = vld1q_s8(x);
      const int8x16_t x1 = vld1q_s8(x + apart);
      const int8x16_t x2 = vld1q_s8(x + 2 * apart);
      const int8x16_t x3 = vld1q_s8(x + 3 * apart);
      CND_TILE_STEP(0)
      CND_TILE_STEP(1)
      CND_TILE_STEP(2)
      CND_TILE_STEP(3)
      x += 16;
    }
    for (; left > 0; --left) {
      const int8x16_t wa = vld1q_s8(w);
      const int8x16_t wb = vld1q_s8(w + 16);
      const int8x16_t wc = vld1q_s8(w + 32);
      const int8x16_t wd = vld1q_s8(w + 48);
      w += 64;
      s0 = cnd_tile_step(s0, cnd_tile_word(x), wa, wb, wc, wd);
      s1 = cnd_tile_step(s1, cnd_tile_word(x + apart), wa, wb, wc, wd);
      s2 = cnd_tile_step(s2, cnd_tile_word(x + 2 * apart), wa, wb, wc, wd);
      s3 = cnd_tile_step(s3, cnd_tile_word(x + 3 * apart), wa, wb, wc, wd);
      x += 4;
    }
  }
  cnd_16_store(sums, s0);
  cnd_16_store(sums + 16, s1);
  cnd_16_store(sums + 32, s2);
  cnd_16_store(sums + 48, s3);
}

CND_INLINE int32x4_t cnd_rows_add(int32x4_t sum, int8x16_t x, const int8_t* w) {
  return vdotq_s32(sum, x, vld1q_s8(w));
}

#else

#define CND_PIXELS 2

/* Two products of int8 fit 16 bits, as weights are at least -127. */
CND_INLINE int32x4_t cnd_tile_low(int32x4_t sum, int8x16_t x, int8x16_t y, int8x16_t v, int8x16_t w) {
  return vpadalq_s16(sum, vmlal_s8(vmull_s8(vget_low_s8(x), vget_low_s8(v)), vget_low_s8(y), vget_low_s8(w)));
}

CND_INLINE int32x4_t cnd_tile_high(int32x4_t sum, int8x16_t x, int8x16_t y, int8x16_t v, int8x16_t w) {
  return vpadalq_s16(sum, vmlal_high_s8(vmull_high_s8(x, v), y, w));
}

/* Channels in pairs of half sums. */
typedef struct {
  cnd_16 low, high;
} cnd_tile_halves;

/* Four channels of one pixel, two steps. */
#define CND_TILE_TWO(s, n, x, y)                        \
  s.low.n = cnd_tile_low(s.low.n, x, y, first, second); \
  s.high.n = cnd_tile_high(s.high.n, x, y, first, second);

/* The same of both pixels; weights are loaded where they are used, as registers are few. */
#define CND_TILE_FOUR(n, at)                        \
  {                                                 \
    const int8x16_t first = vld1q_s8(w + at);       \
    const int8x16_t second = vld1q_s8(w + at + 64); \
    CND_TILE_TWO(s0, n, x0, y0)                     \
    CND_TILE_TWO(s1, n, x1, y1)                     \
  }

CND_INLINE int32x4_t cnd_tile_low_1(int32x4_t sum, int8x16_t x, const cnd_weight* w) {
  return vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vld1_s8(w)));
}

/* A step that is alone. */
CND_INLINE cnd_tile_halves cnd_tile_last(cnd_tile_halves s, int8x16_t x, const cnd_weight* w) {
  s.low.a = cnd_tile_low_1(s.low.a, x, w);
  s.high.a = cnd_tile_low_1(s.high.a, x, w + 8);
  s.low.b = cnd_tile_low_1(s.low.b, x, w + 16);
  s.high.b = cnd_tile_low_1(s.high.b, x, w + 24);
  s.low.c = cnd_tile_low_1(s.low.c, x, w + 32);
  s.high.c = cnd_tile_low_1(s.high.c, x, w + 40);
  s.low.d = cnd_tile_low_1(s.low.d, x, w + 48);
  s.high.d = cnd_tile_low_1(s.high.d, x, w + 56);
  return s;
}

CND_INLINE void cnd_tile_store(cnd_tile_halves s, const int32_t* start, int32_t* sums) {
  const cnd_16 whole = {vpaddq_s32(s.low.a, s.high.a), vpaddq_s32(s.low.b, s.high.b), vpaddq_s32(s.low.c, s.high.c),
                        vpaddq_s32(s.low.d, s.high.d)};
  cnd_16_store(sums, cnd_16_add(whole, cnd_16_load(start)));
}

/* Sums of 16 channels of CND_PIXELS pixels, `apart` values from one to the next. Windows are `lines` runs of `steps`
 * steps: line number `line` of `lines` that lie `row` values apart comes first. */
CND_INLINE void cnd_tile_sums_16(const cnd_value* ring, int32_t line, int32_t lines, int32_t row, int32_t apart,
                                 const cnd_weight* w, int32_t steps, const int32_t* start, int32_t* sums) {
  cnd_tile_halves s0 = {cnd_16_set(0), cnd_16_set(0)};
  cnd_tile_halves s1 = s0;
  for (int32_t k = 0; k < lines; ++k) {
    const cnd_value* x = ring + line * row;
    int32_t left = steps;
    line = line + 1 < lines ? line + 1 : 0;
    for (; left >= 2; left -= 2) {
      const int8x16_t x0 = cnd_tile_word(x);
      const int8x16_t y0 = cnd_tile_word(x + 4);
      const int8x16_t x1 = cnd_tile_word(x + apart);
      const int8x16_t y1 = cnd_tile_word(x + apart + 4);
      CND_TILE_FOUR(a, 0)
      CND_TILE_FOUR(b, 16)
      CND_TILE_FOUR(c, 32)
      CND_TILE_FOUR(d, 48)
      w += 128;
      x += 8;
    }
    if (left > 0) {
      s0 = cnd_tile_last(s0, cnd_tile_word(x), w);
      s1 = cnd_tile_last(s1, cnd_tile_word(x + apart), w);
      w += 64;
    }
  }
  cnd_tile_store(s0, start, sums);
  cnd_tile_store(s1, start, sums + 16);
}

CND_INLINE int32x4_t cnd_rows_add(int32x4_t sum, int8x16_t x, const int8_t* w) {
  const int8x16_t weights = vld1q_s8(w);
  return vpadalq_s16(sum, vmlal_high_s8(vmull_s8(vget_low_s8(x), vget_low_s8(weights)), x, weights));
}

#endif

/* Products of one run of values with four rows of weights, `stride` apart. */
CND_INLINE void cnd_rows_sums_4(const int8_t* x, const int8_t* w, int32_t stride, int32_t count, int32_t sum[4]) {
  int32x4_t s0 = vdupq_n_s32(0);
  int32x4_t s1 = s0;
  int32x4_t s2 = s0;
  int32x4_t s3 = s0;
  for (; count >= 16; count -= 16) {
    const int8x16_t values = vld1q_s8(x);
    s0 = cnd_rows_add(s0, values, w);
    s1 = cnd_rows_add(s1, values, w + stride);
    s2 = cnd_rows_add(s2, values, w + 2 * stride);
    s3 = cnd_rows_add(s3, values, w + 3 * stride);
    x += 16;
    w += 16;
  }
  sum[0] += vaddvq_s32(s0);
  sum[1] += vaddvq_s32(s1);
  sum[2] += vaddvq_s32(s2);
  sum[3] += vaddvq_s32(s3);
  for (int32_t i = 0; i < count; ++i) {
    sum[0] += (int32_t)x[i] * (int32_t)w[i];
    sum[1] += (int32_t)x[i] * (int32_t)w[stride + i];
    sum[2] += (int32_t)x[i] * (int32_t)w[2 * stride + i];
    sum[3] += (int32_t)x[i] * (int32_t)w[3 * stride + i];
  }
}

#define CND_TABLE 16

/* As many values of a table of 256. */
CND_INLINE void cnd_table_look(const int8_t* table, const int8_t* x, int8_t* to) {
  const uint8x16_t index = vreinterpretq_u8_s8(veorq_s8(vld1q_s8(x), vdupq_n_s8(-128)));
  const uint8x16_t quarter = vdupq_n_u8(64);
  const uint8x16_t second = vsubq_u8(index, quarter); /* elsewhere beyond the 64 values of a look-up */
  const uint8x16_t third = vsubq_u8(second, quarter);
  int8x16_t found = vqtbl4q_s8(vld1q_s8_x4(table), index);
  found = vqtbx4q_s8(found, vld1q_s8_x4(table + 64), second);
  found = vqtbx4q_s8(found, vld1q_s8_x4(table + 128), third);
  found = vqtbx4q_s8(found, vld1q_s8_x4(table + 192), vsubq_u8(third, quarter));
  vst1q_s8(to, found);
}

/* The weights of two taps of 16 channels, one after the other; y may be null: none. */
typedef int8_t cnd_tap;

CND_INLINE void cnd_taps_put(const int8_t* x, const int8_t* y, int32_t channels, cnd_tap* to) {
  for (int32_t i = 0; i < 16; ++i) {
    to[i] = (int8_t)(i < channels ? x[i] : 0);
    to[16 + i] = (int8_t)((y && i < channels) ? y[i] : 0);
  }
}

CND_INLINE cnd_16 cnd_taps_add(cnd_16 sum, const int8_t* x, const int8_t* y, const cnd_tap* w) {
  const int8x16_t a = vld1q_s8(x);
  const int8x16_t b = vld1q_s8(y);
  const int8x16_t wa = vld1q_s8(w);
  const int8x16_t wb = vld1q_s8(w + 16);
  const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(wa)), vget_low_s8(b), vget_low_s8(wb));
  const int16x8_t high = vmlal_high_s8(vmull_high_s8(a, wa), b, wb);
  const cnd_16 result = {vaddw_s16(sum.a, vget_low_s16(low)), vaddw_high_s16(sum.b, low),
                         vaddw_s16(sum.c, vget_low_s16(high)), vaddw_high_s16(sum.d, high)};
  return result;
}

#endif

#endif
