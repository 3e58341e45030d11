/* From a sum to an output value, in two forms that give the same bits: cnd_scale() for any multiplier and shift, and
 * cnd_scale_short() where the export has checked that it may be used. With |sum| < 2^30 the doubled sum fits 32 bits,
 * so that the high product is one multiplication that rounds; with shift < 0 the second rounding is an addition and a
 * shift. Both roundings of the profile stay. */
#ifndef CND_SCALE_H
#define CND_SCALE_H

#include "cnd_dsp.h"
#include "cnd_fixed_point.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where outputs lie, and how they come there. */
typedef struct {
  int32_t zero_point, low, high; /* -128 <= low <= high <= 127 */
  int32_t offset;                /* twice the zero point, plus 1 for the last rounding */
  int32_t is_short;              /* 1: cnd_scale_short() may be used */
  int32_t rectifies;             /* 1: low is the zero point: what is below zero becomes zero */
  int32_t clamps;                /* 1: more than that is cut off inside of int8 */
} cnd_scale_range;

static inline cnd_scale_range cnd_scale_range_of(int32_t zero_point, int32_t low, int32_t high, int32_t is_short) {
  const int32_t rectifies = (low == zero_point && low > INT8_MIN) ? 1 : 0;
  const int32_t clamps = ((low > INT8_MIN && rectifies == 0) || high < INT8_MAX) ? 1 : 0;
  const cnd_scale_range range = {zero_point, low, high, 2 * zero_point + 1, is_short, rectifies, clamps};
  return range;
}

/* cnd_requantize_s8, once for all kernels. */
int8_t cnd_scale(int32_t sum, int32_t multiplier, int32_t shift, const cnd_scale_range* range);

/* round(x * multiplier / 2^31), ties upwards, |x| < 2^30: cnd_high_mul(x, multiplier). */
CND_INLINE int32_t cnd_short_high_mul(int32_t x, int32_t multiplier) {
#if defined(CND_DSP) && defined(__GNUC__) && defined(__arm__)
  int32_t high;
  __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(x * 2), "r"(multiplier));
  return high;
#else
  const int64_t sum = (int64_t)x * (int64_t)multiplier + ((int64_t)1 << 30);
  return (int32_t)(sum < 0 ? ~(~sum >> 31) : sum >> 31);
#endif
}

/* round(x / 2^-shift), ties away from zero, before the last bit is dropped and rounded: what is negative is rounded
 * from one below. -31 <= shift < 0. */
CND_INLINE int32_t cnd_short_shift(int32_t x, int32_t shift) {
  return cnd_shift_right(x + cnd_shift_right(x, 31), -1 - shift);
}

/* floor(x / 2), saturated to int8. */
CND_INLINE int32_t cnd_half(int32_t x) {
#ifdef CND_DSP
  return cnd_saturate8_half(x);
#else
  return cnd_clamp(cnd_shift_right(x, 1), INT8_MIN, INT8_MAX);
#endif
}

CND_INLINE int32_t cnd_scale_short(int32_t sum, int32_t multiplier, int32_t shift, int32_t offset) {
  return cnd_half(cnd_short_shift(cnd_short_high_mul(sum, multiplier), shift) + offset);
}

/* Scaling in one step less, where nothing is cut off but what does not fit int8: the last offset stands before the
 * shift, beside one less for what is negative. Of a negative sum whose product is 0 as well, as there is room below a
 * half. */
enum { CND_SCALE_QUICK_MOST = 22 }; /* to the right */

CND_INLINE int32_t cnd_scale_is_quick(const cnd_scale_range* range, int32_t shift) {
  return (range->is_short != 0 && range->rectifies == 0 && range->clamps == 0 && shift >= -CND_SCALE_QUICK_MOST) ? 1
                                                                                                                 : 0;
}

/* offset: the range's; right: minus the shift. Below 2^30. */
CND_INLINE int32_t cnd_scale_quick_offset(int32_t offset, int32_t right) {
  return offset * (int32_t)((uint32_t)1 << (right - 1));
}

/* offset: the channel's. */
CND_INLINE int32_t cnd_scale_quick(int32_t sum, int32_t multiplier, int32_t right, int32_t offset) {
#if defined(CND_DSP) && defined(__GNUC__) && defined(__arm__)
  int32_t value;
  __asm__(
      "add %[v], %[offset], %[sum], asr #31\n\t"
      "smmlar %[v], %[twice], %[m], %[v]\n\t"
      "asr %[v], %[v], %[right]\n\t"
      "ssat %[v], #8, %[v]"
      : [v] "=&r"(value)
      : [sum] "r"(sum), [twice] "r"(sum * 2), [m] "r"(multiplier), [right] "r"(right), [offset] "r"(offset));
  return value;
#else
  const int32_t product = cnd_short_high_mul(sum, multiplier);
  return cnd_clamp(cnd_shift_right(product + cnd_shift_right(sum, 31) + offset, right), INT8_MIN, INT8_MAX);
#endif
}

/* x, or 0 for what is negative: -1, half of a negative unit, is then rounded as 0 is. */
CND_INLINE int32_t cnd_positive(int32_t x) {
#if defined(CND_DSP) && defined(__GNUC__) && defined(__arm__)
  int32_t result;
  __asm__("usat %0, #31, %1" : "=r"(result) : "r"(x));
  return result;
#else
  return x < 0 ? 0 : x;
#endif
}

CND_INLINE int8_t cnd_scale_any(int32_t sum, int32_t multiplier, int32_t shift, const cnd_scale_range* range) {
  if (range->is_short == 0) {
    return cnd_scale(sum, multiplier, shift, range);
  }
  return (int8_t)cnd_clamp(cnd_scale_short(sum, multiplier, shift, range->offset), range->low, range->high);
}

/* Four sums become four values: the first two by a multiplier and a shift, the others by another one. What they share
 * is asked once. */
CND_INLINE void cnd_scale_four(int32_t v[4], int32_t ma, int32_t sa, int32_t mb, int32_t sb,
                               const cnd_scale_range* range) {
  if (range->is_short != 0) {
    const int32_t offset = range->offset;
    v[0] = cnd_short_shift(cnd_short_high_mul(v[0], ma), sa);
    v[1] = cnd_short_shift(cnd_short_high_mul(v[1], ma), sa);
    v[2] = cnd_short_shift(cnd_short_high_mul(v[2], mb), sb);
    v[3] = cnd_short_shift(cnd_short_high_mul(v[3], mb), sb);
    if (range->rectifies != 0) {
      v[0] = cnd_positive(v[0]);
      v[1] = cnd_positive(v[1]);
      v[2] = cnd_positive(v[2]);
      v[3] = cnd_positive(v[3]);
    }
    v[0] = cnd_half(v[0] + offset);
    v[1] = cnd_half(v[1] + offset);
    v[2] = cnd_half(v[2] + offset);
    v[3] = cnd_half(v[3] + offset);
    if (range->clamps != 0) {
      const int32_t low = range->low;
      const int32_t high = range->high;
      v[0] = cnd_clamp(v[0], low, high);
      v[1] = cnd_clamp(v[1], low, high);
      v[2] = cnd_clamp(v[2], low, high);
      v[3] = cnd_clamp(v[3], low, high);
    }
  } else {
    v[0] = cnd_scale(v[0], ma, sa, range);
    v[1] = cnd_scale(v[1], ma, sa, range);
    v[2] = cnd_scale(v[2], mb, sb, range);
    v[3] = cnd_scale(v[3], mb, sb, range);
  }
}

#ifdef __cplusplus
}
#endif

#endif
