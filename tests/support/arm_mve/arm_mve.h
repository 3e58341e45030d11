/* Arm's Helium intrinsics in portable C, as far as the kernels use them: so that their MVE forms run in the tests of
 * any host. Written from the definition of each instruction; lanes that a predicate leaves out touch no memory. */
#ifndef CONDENSER_TESTS_ARM_MVE_H
#define CONDENSER_TESTS_ARM_MVE_H

#include <stdint.h>

typedef struct {
  int8_t v[16];
} int8x16_t;
typedef struct {
  int32_t v[4];
} int32x4_t;
typedef struct {
  uint32_t v[4];
} uint32x4_t;
typedef uint16_t mve_pred16_t; /* a bit per byte */

#define MVE_LANES(expression)   \
  int32x4_t result;             \
  for (int i = 0; i < 4; ++i) { \
    result.v[i] = (expression); \
  }                             \
  return result

static inline int32_t mve_saturate(int64_t x) {
  return (int32_t)(x > INT32_MAX ? INT32_MAX : (x < INT32_MIN ? INT32_MIN : x));
}
static inline int32_t mve_wrap(int64_t x) { return (int32_t)(uint32_t)(uint64_t)x; }
static inline int mve_on(mve_pred16_t p, int byte) { return (p >> byte) & 1; }

/* floor((x + half) / 2^n) for n = -shift > 0, else x * 2^shift. */
static inline int32_t mve_rounding_shift(int64_t x, int32_t shift) {
  if (shift >= 0) {
    return mve_wrap((int64_t)((uint64_t)x << shift));
  }
  return (int32_t)((x + ((int64_t)1 << (-shift - 1))) >> -shift);
}
static inline int32_t mve_high(int64_t a, int64_t b) {
  return a == INT32_MIN && b == INT32_MIN ? INT32_MAX : (int32_t)((a * b + ((int64_t)1 << 30)) >> 31);
}
static inline mve_pred16_t mve_first(uint32_t count, uint32_t bytes) {
  return (mve_pred16_t)(count * bytes >= 16 ? 0xffffu : (1u << (count * bytes)) - 1u);
}

static inline int8x16_t vdupq_n_s8(int8_t x) {
  int8x16_t result;
  for (int i = 0; i < 16; ++i) {
    result.v[i] = x;
  }
  return result;
}
static inline int8x16_t vshlq_n_s8(int8x16_t a, int n) {
  for (int i = 0; i < 16; ++i) {
    a.v[i] = (int8_t)(uint8_t)((uint32_t)(uint8_t)a.v[i] << n);
  }
  return a;
}
static inline int8x16_t vandq_s8(int8x16_t a, int8x16_t b) {
  for (int i = 0; i < 16; ++i) {
    a.v[i] = (int8_t)(a.v[i] & b.v[i]);
  }
  return a;
}
static inline int32x4_t vdupq_n_s32(int32_t x) { MVE_LANES(x); }
static inline int32x4_t vminq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(a.v[i] < b.v[i] ? a.v[i] : b.v[i]); }
static inline int32x4_t vmaxq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
static inline int32x4_t vandq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(a.v[i] & b.v[i]); }
static inline int32x4_t vaddq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(mve_wrap((int64_t)a.v[i] + b.v[i])); }
static inline int32x4_t vaddq_n_s32(int32x4_t a, int32_t b) { MVE_LANES(mve_wrap((int64_t)a.v[i] + b)); }
static inline int32x4_t vqaddq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(mve_saturate((int64_t)a.v[i] + b.v[i])); }
static inline int32x4_t vqaddq_n_s32(int32x4_t a, int32_t b) { MVE_LANES(mve_saturate((int64_t)a.v[i] + b)); }
static inline int32x4_t vmulq_n_s32(int32x4_t a, int32_t b) { MVE_LANES(mve_wrap((int64_t)a.v[i] * b)); }
static inline int32x4_t vmlaq_n_s32(int32x4_t a, int32x4_t b, int32_t c) {
  MVE_LANES(mve_wrap((int64_t)a.v[i] + (int64_t)b.v[i] * c));
}
static inline int32x4_t vqrdmulhq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(mve_high(a.v[i], b.v[i])); }
static inline int32x4_t vqrdmulhq_n_s32(int32x4_t a, int32_t b) { MVE_LANES(mve_high(a.v[i], b)); }
static inline int32x4_t vshrq_n_s32(int32x4_t a, int n) { MVE_LANES((int32_t)((int64_t)a.v[i] >> n)); }
static inline int32x4_t vqshlq_s32(int32x4_t a, int32x4_t b) { /* b >= 0 */
  MVE_LANES(mve_saturate(a.v[i] * ((int64_t)1 << b.v[i])));
}
static inline int32x4_t vrshlq_s32(int32x4_t a, int32x4_t b) { MVE_LANES(mve_rounding_shift(a.v[i], b.v[i])); }
static inline int32x4_t vrshlq_n_s32(int32x4_t a, int32_t b) { MVE_LANES(mve_rounding_shift(a.v[i], b)); }
static inline int32x4_t vsetq_lane_s32(int32_t x, int32x4_t a, int lane) { MVE_LANES(i == lane ? x : a.v[i]); }
static inline int32_t vgetq_lane_s32(int32x4_t a, int lane) { return a.v[lane]; }

static inline uint32x4_t vidupq_n_u32(uint32_t start, int step) {
  uint32x4_t result;
  for (int i = 0; i < 4; ++i) {
    result.v[i] = start + (uint32_t)(i * step);
  }
  return result;
}
static inline uint32x4_t vmulq_n_u32(uint32x4_t a, uint32_t b) {
  for (int i = 0; i < 4; ++i) {
    a.v[i] *= b;
  }
  return a;
}

static inline mve_pred16_t vctp8q(uint32_t count) { return mve_first(count < 16 ? count : 16, 1); }
static inline mve_pred16_t vctp32q(uint32_t count) { return mve_first(count < 4 ? count : 4, 4); }

static inline int8x16_t vldrbq_z_s8(const int8_t* from, mve_pred16_t p) {
  int8x16_t result;
  for (int i = 0; i < 16; ++i) {
    result.v[i] = mve_on(p, i) ? from[i] : 0;
  }
  return result;
}
static inline int32x4_t vldrbq_s32(const int8_t* from) { MVE_LANES(from[i]); }
static inline int32x4_t vldrbq_z_s32(const int8_t* from, mve_pred16_t p) { MVE_LANES(mve_on(p, 4 * i) ? from[i] : 0); }
static inline int32x4_t vldrhq_s32(const int16_t* from) { MVE_LANES(from[i]); }
static inline int32x4_t vldrwq_s32(const int32_t* from) { MVE_LANES(from[i]); }
static inline uint32x4_t vldrwq_u32(const uint32_t* from) {
  uint32x4_t result;
  for (int i = 0; i < 4; ++i) result.v[i] = from[i];
  return result;
}
static inline int32x4_t vldrbq_gather_offset_s32(const int8_t* from, uint32x4_t at) { MVE_LANES(from[at.v[i]]); }
static inline int32x4_t vldrhq_gather_shifted_offset_s32(const int16_t* from, uint32x4_t at) {
  MVE_LANES(from[at.v[i]]);
}
static inline void vstrbq_p_s8(int8_t* to, int8x16_t a, mve_pred16_t p) {
  for (int i = 0; i < 16; ++i) {
    if (mve_on(p, i)) {
      to[i] = a.v[i];
    }
  }
}
static inline void vstrhq_s32(int16_t* to, int32x4_t a) {
  for (int i = 0; i < 4; ++i) {
    to[i] = (int16_t)a.v[i];
  }
}
static inline void vstrbq_s32(int8_t* to, int32x4_t a) {
  for (int i = 0; i < 4; ++i) {
    to[i] = (int8_t)a.v[i];
  }
}
static inline void vstrbq_p_s32(int8_t* to, int32x4_t a, mve_pred16_t p) {
  for (int i = 0; i < 4; ++i) {
    if (mve_on(p, 4 * i)) {
      to[i] = (int8_t)a.v[i];
    }
  }
}
static inline void vstrbq_scatter_offset_s32(int8_t* to, uint32x4_t at, int32x4_t a) {
  for (int i = 0; i < 4; ++i) {
    to[at.v[i]] = (int8_t)a.v[i];
  }
}
static inline void vstrbq_scatter_offset_p_s32(int8_t* to, uint32x4_t at, int32x4_t a, mve_pred16_t p) {
  for (int i = 0; i < 4; ++i) {
    if (mve_on(p, 4 * i)) {
      to[at.v[i]] = (int8_t)a.v[i];
    }
  }
}
static inline int32_t vmladavaq_s8(int32_t sum, int8x16_t a, int8x16_t b) {
  for (int i = 0; i < 16; ++i) {
    sum += a.v[i] * b.v[i];
  }
  return sum;
}

#endif
