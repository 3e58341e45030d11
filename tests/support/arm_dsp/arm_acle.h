/* Arm's DSP intrinsics in portable C, as far as the kernels use them: so that their DSP forms run in the tests of any
 * host. Written from the definition of each instruction. */
#ifndef CONDENSER_TESTS_ARM_ACLE_H
#define CONDENSER_TESTS_ARM_ACLE_H

#include <stdint.h>

typedef int32_t int8x4_t;
typedef int32_t int16x2_t;

static inline int32_t acle_half(int32_t x, int i) { return (int16_t)((uint32_t)x >> (16 * i)); }
static inline int32_t acle_byte(int32_t x, int i) { return (int8_t)((uint32_t)x >> (8 * i)); }
static inline int32_t acle_halves(int32_t low, int32_t high) {
  return (int32_t)(((uint32_t)low & 0xffffu) | ((uint32_t)high << 16));
}

static inline int16x2_t __sxtb16(int8x4_t x) { return acle_halves(acle_byte(x, 0), acle_byte(x, 2)); }
static inline int16x2_t __sxtab16(int16x2_t a, int8x4_t x) {
  return acle_halves(acle_half(a, 0) + acle_byte(x, 0), acle_half(a, 1) + acle_byte(x, 2));
}
static inline int32_t __smlad(int16x2_t a, int16x2_t b, int32_t sum) {
  return sum + acle_half(a, 0) * acle_half(b, 0) + acle_half(a, 1) * acle_half(b, 1);
}
static inline int32_t __smlabt(int32_t a, int32_t b, int32_t sum) { return sum + acle_half(a, 0) * acle_half(b, 1); }
static inline int32_t __smlatb(int32_t a, int32_t b, int32_t sum) { return sum + acle_half(a, 1) * acle_half(b, 0); }
static inline int32_t __ssat(int32_t x, int bits) {
  const int32_t high = (1 << (bits - 1)) - 1;
  return x > high ? high : (x < -high - 1 ? -high - 1 : x);
}

#endif
