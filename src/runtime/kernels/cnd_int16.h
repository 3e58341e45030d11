/* Values of 8 or 16 bits side by side: kernels _a16 ("16-bit activations") read and write either, as their parameters
 * say, and are given the address of the first. Values of 16 bits have zero point 0 and lie at even addresses. */
#ifndef CND_INT16_H
#define CND_INT16_H

#include <stdint.h>

#include "cnd_fixed_point.h"

/* Value i. */
static inline int32_t cnd_value(const void* values, int32_t bits, int32_t i) {
  return bits == 16 ? (int32_t)((const int16_t*)values)[i] : (int32_t)((const int8_t*)values)[i];
}

/* Becomes value i; x fits the bits. */
static inline void cnd_put(void* values, int32_t bits, int32_t i, int32_t x) {
  if (bits == 16) {
    ((int16_t*)values)[i] = (int16_t)x;
  } else {
    ((int8_t*)values)[i] = (int8_t)x;
  }
}

/* Requantized value plus zero point, clamped to [low, high]; clamps before adding, so nothing overflows. */
static inline int32_t cnd_requantize_within(int32_t x, int32_t multiplier, int32_t shift, int32_t zero_point,
                                            int32_t low, int32_t high) {
  const int32_t scaled = cnd_requantize(x, multiplier, shift);
  return cnd_clamp(scaled, low - zero_point, high - zero_point) + zero_point;
}

#endif
