/* Integer requantization of the rounding profile "double": a Q31 multiplier with a rounding doubling high multiply,
 * then a rounding division by a power of two (the arithmetic of gemmlowp, TFLite's reference kernels and CMSIS-NN).
 * Both steps round to nearest; the second rounds ties away from zero. No floating point, no undefined behaviour. */
#ifndef CND_FIXED_POINT_H
#define CND_FIXED_POINT_H

#include <stdint.h>

/* floor(x / 2^n) for 0 <= n <= 31. C99 leaves >> of negative values to the implementation; ~x is never negative here.
 */
static inline int32_t cnd_shift_right(int32_t x, int32_t n) { return x < 0 ? ~(~x >> n) : x >> n; }

static inline int32_t cnd_clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : (x > high ? high : x); }

/* round(a * b / 2^31), ties upwards; b >= 0, so the product never overflows. */
static inline int32_t cnd_high_mul(int32_t a, int32_t b) {
  const int64_t product = (int64_t)a * (int64_t)b;
  const int64_t nudge = product >= 0 ? ((int64_t)1 << 30) : 1 - ((int64_t)1 << 30);
  return (int32_t)((product + nudge) / ((int64_t)1 << 31));
}

/* round(x / 2^n), ties away from zero, 0 <= n <= 31. */
static inline int32_t cnd_rounding_divide_by_pot(int32_t x, int32_t n) {
  const int32_t mask = (int32_t)(((uint32_t)1 << n) - 1u);
  const int32_t remainder = (int32_t)((uint32_t)x & (uint32_t)mask);
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return cnd_shift_right(x, n) + (remainder > threshold ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31), -31 <= shift <= 30. A left shift comes first and saturates. */
static inline int32_t cnd_requantize(int32_t x, int32_t multiplier, int32_t shift) {
  if (shift > 0) {
    int64_t wide = (int64_t)x * ((int64_t)1 << shift);
    wide = wide > INT32_MAX ? INT32_MAX : (wide < INT32_MIN ? INT32_MIN : wide);
    return cnd_high_mul((int32_t)wide, multiplier);
  }
  return cnd_rounding_divide_by_pot(cnd_high_mul(x, multiplier), -shift);
}

/* Requantized value plus zero point, clamped to [low, high]; clamps before adding, so nothing overflows. */
static inline int8_t cnd_requantize_s8(int32_t x, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low,
                                       int32_t high) {
  const int32_t scaled = cnd_requantize(x, multiplier, shift);
  return (int8_t)(cnd_clamp(scaled, low - zero_point, high - zero_point) + zero_point);
}

#endif
