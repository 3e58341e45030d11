/* Arm's Helium vectors (MVE: Cortex-M55, M85) as the steps that kernels share, where the compiler states that the
 * target has them (CND_MVE is then defined). Vectors are four 32-bit lanes: sums and what becomes of them. */
#ifndef CND_MVE_H
#define CND_MVE_H

#include "cnd_dsp.h"
#include "cnd_scale.h"

#if defined(__ARM_FEATURE_MVE) && !defined(__ARM_BIG_ENDIAN) && !defined(CND_NO_MVE)
#define CND_MVE 1

#include <arm_mve.h>

/* cnd_requantize() of four sums. The high product of the profile is VQRDMULH; VRSHL rounds ties upwards, so that what
 * is negative starts one lower where something is shifted out. */
CND_INLINE int32x4_t cnd_mve_scale(int32x4_t sum, int32x4_t multiplier, int32x4_t shift) {
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t right = vminq_s32(shift, zero);
  const int32x4_t high = vqrdmulhq_s32(vqshlq_s32(sum, vmaxq_s32(shift, zero)), multiplier);
  return vrshlq_s32(vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31)), right);
}

/* The same, where cnd_scale_short() may be used. */
CND_INLINE int32x4_t cnd_mve_scale_short(int32x4_t sum, int32x4_t multiplier, int32x4_t shift) {
  const int32x4_t high = vqrdmulhq_s32(sum, multiplier);
  return vrshlq_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), shift);
}

/* The same with one multiplier and shift for all lanes. */
CND_INLINE int32x4_t cnd_mve_scale_by(int32x4_t sum, int32_t multiplier, int32_t shift) {
  const int32_t right = shift < 0 ? shift : 0;
  const int32x4_t high = vqrdmulhq_n_s32(vqshlq_s32(sum, vdupq_n_s32(shift - right)), multiplier);
  return vrshlq_n_s32(right < 0 ? vqaddq_s32(high, vshrq_n_s32(high, 31)) : high, right);
}

CND_INLINE int32x4_t cnd_mve_scale_short_by(int32x4_t sum, int32_t multiplier, int32_t shift) {
  const int32x4_t high = vqrdmulhq_n_s32(sum, multiplier);
  return vrshlq_n_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), shift);
}

/* Zero point and clamp; low and high stand in all lanes. */
CND_INLINE int32x4_t cnd_mve_place(int32x4_t value, int32_t zero_point, int32x4_t low, int32x4_t high) {
  return vminq_s32(vmaxq_s32(vqaddq_n_s32(value, zero_point), low), high);
}

/* 0, step, 2 step, 3 step: where four values lie. */
CND_INLINE uint32x4_t cnd_mve_places(int32_t step) { return vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)step); }

/* The values at x times four rows of weights that follow each other, `depth` > 0 values each. */
CND_INLINE int32x4_t cnd_mve_dots(const int8_t* x, const int8_t* w, int32_t depth) {
  int32_t sa = 0;
  int32_t sb = 0;
  int32_t sc = 0;
  int32_t sd = 0;
  int32x4_t sums;
#if defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__)
  /* A loop whose last lanes are left out by the hardware, which compilers do not make of intrinsics. */
  const int8_t *b, *c, *d;
  __asm__(
      "add %[b], %[a], %[n]\n\t"
      "add %[c], %[b], %[n]\n\t"
      "add %[d], %[c], %[n]\n\t"
      "dlstp.8 lr, %[n]\n"
      "1:\n\t"
      "vldrb.8 q0, [%[x]], #16\n\t"
      "vldrb.8 q1, [%[a]], #16\n\t"
      "vmladava.s8 %[sa], q0, q1\n\t"
      "vldrb.8 q2, [%[b]], #16\n\t"
      "vmladava.s8 %[sb], q0, q2\n\t"
      "vldrb.8 q1, [%[c]], #16\n\t"
      "vmladava.s8 %[sc], q0, q1\n\t"
      "vldrb.8 q2, [%[d]], #16\n\t"
      "vmladava.s8 %[sd], q0, q2\n\t"
      "letp lr, 1b\n\t"
      "vmov %q[sums][2], %q[sums][0], %[sa], %[sc]\n\t"
      "vmov %q[sums][3], %q[sums][1], %[sb], %[sd]"
      : [x] "+r"(x), [a] "+r"(w), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [sa] "+Te"(sa), [sb] "+Te"(sb),
        [sc] "+Te"(sc), [sd] "+Te"(sd), [sums] "=w"(sums)
      : [n] "r"(depth)
      : "q0", "q1", "q2", "lr", "memory");
#else
  const int8_t* b = w + depth;
  const int8_t* c = b + depth;
  const int8_t* d = c + depth;
  for (int32_t i = 0; i < depth; i += 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)(depth - i));
    const int8x16_t values = vldrbq_z_s8(x + i, lanes);
    sa = vmladavaq_s8(sa, values, vldrbq_z_s8(w + i, lanes));
    sb = vmladavaq_s8(sb, values, vldrbq_z_s8(b + i, lanes));
    sc = vmladavaq_s8(sc, values, vldrbq_z_s8(c + i, lanes));
    sd = vmladavaq_s8(sd, values, vldrbq_z_s8(d + i, lanes));
  }
  sums = vdupq_n_s32(sa);
  sums = vsetq_lane_s32(sb, sums, 1);
  sums = vsetq_lane_s32(sc, sums, 2);
  sums = vsetq_lane_s32(sd, sums, 3);
#endif
  return sums;
}

/* Two pixels, x and y, with the rows of weights of two channels, a and b: sums xa, ya, xb, yb, from their biases on. */
CND_INLINE int32x4_t cnd_mve_dots_2x2(const int8_t* x, const int8_t* y, const int8_t* a, const int8_t* b, int32_t depth,
                                      int32_t bias_a, int32_t bias_b) {
  int32_t xa = bias_a;
  int32_t ya = bias_a;
  int32_t xb = bias_b;
  int32_t yb = bias_b;
  int32x4_t sums;
#if defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__)
  __asm__(
      "dlstp.8 lr, %[n]\n"
      "1:\n\t"
      "vldrb.8 q0, [%[x]], #16\n\t"
      "vldrb.8 q1, [%[a]], #16\n\t"
      "vmladava.s8 %[xa], q0, q1\n\t"
      "vldrb.8 q2, [%[y]], #16\n\t"
      "vmladava.s8 %[ya], q2, q1\n\t"
      "vldrb.8 q1, [%[b]], #16\n\t"
      "vmladava.s8 %[xb], q0, q1\n\t"
      "vmladava.s8 %[yb], q2, q1\n\t"
      "letp lr, 1b\n\t"
      "vmov %q[sums][2], %q[sums][0], %[xa], %[xb]\n\t"
      "vmov %q[sums][3], %q[sums][1], %[ya], %[yb]"
      : [x] "+r"(x), [y] "+r"(y), [a] "+r"(a), [b] "+r"(b), [xa] "+Te"(xa), [ya] "+Te"(ya), [xb] "+Te"(xb),
        [yb] "+Te"(yb), [sums] "=w"(sums)
      : [n] "r"(depth)
      : "q0", "q1", "q2", "lr", "memory");
#else
  for (int32_t i = 0; i < depth; i += 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)(depth - i));
    const int8x16_t left = vldrbq_z_s8(x + i, lanes);
    const int8x16_t right = vldrbq_z_s8(y + i, lanes);
    const int8x16_t first = vldrbq_z_s8(a + i, lanes);
    const int8x16_t second = vldrbq_z_s8(b + i, lanes);
    xa = vmladavaq_s8(xa, left, first);
    ya = vmladavaq_s8(ya, right, first);
    xb = vmladavaq_s8(xb, left, second);
    yb = vmladavaq_s8(yb, right, second);
  }
  sums = vdupq_n_s32(xa);
  sums = vsetq_lane_s32(ya, sums, 1);
  sums = vsetq_lane_s32(xb, sums, 2);
  sums = vsetq_lane_s32(yb, sums, 3);
#endif
  return sums;
}

/* A row of such tiles. */
typedef struct {
  const int8_t* x;
  const int8_t* y;
  int32_t step; /* values from the pixels of a tile to the next ones */
  const int8_t* a;
  const int8_t* b;
  int32_t depth, count;
  int32_t bias_a, bias_b;
  int32_t multiplier[4];
  int32_t shift[4];
  uint32_t place[4]; /* where the outputs lie, from the first one on */
  int8_t* out;
  int32_t next; /* values from a tile's output to the next one */
  const cnd_scale_range* range;
} cnd_mve_tiles;

CND_INLINE void cnd_mve_run_any(const cnd_mve_tiles* t, int32_t is_short) {
  const int32_t bias_a = t->bias_a;
  const int32_t bias_b = t->bias_b;
  const int32x4_t multiplier = vldrwq_s32(t->multiplier);
  const int32x4_t shift = vldrwq_s32(t->shift);
  const uint32x4_t place = vldrwq_u32(t->place);
  const int32x4_t low = vdupq_n_s32(t->range->low - t->range->zero_point);
  const int32x4_t high = vdupq_n_s32(t->range->high - t->range->zero_point);
  const int32_t zero_point = t->range->zero_point;
  const int32_t step = t->step;
  const int32_t next = t->next;
  const int32_t depth = t->depth;
  const int8_t* const a = t->a;
  const int8_t* const b = t->b;
  const int8_t* x = t->x;
  const int8_t* y = t->y;
  int8_t* out = t->out;
  for (int32_t left = t->count; left > 0; --left) {
    const int32x4_t sum = cnd_mve_dots_2x2(x, y, a, b, depth, bias_a, bias_b);
    const int32x4_t scaled =
        is_short != 0 ? cnd_mve_scale_short(sum, multiplier, shift) : cnd_mve_scale(sum, multiplier, shift);
    vstrbq_scatter_offset_s32(out, place, vaddq_n_s32(vminq_s32(vmaxq_s32(scaled, low), high), zero_point));
    x += step;
    y += step;
    out += next;
  }
}

CND_APART void cnd_mve_run_short(const cnd_mve_tiles* t) { cnd_mve_run_any(t, 1); }
CND_APART void cnd_mve_run_long(const cnd_mve_tiles* t) { cnd_mve_run_any(t, 0); }

CND_INLINE void cnd_mve_run_tiles(const cnd_mve_tiles* t) {
  if (t->range->is_short != 0) {
    cnd_mve_run_short(t);
  } else {
    cnd_mve_run_long(t);
  }
}

/* count >= 0 bytes. */
CND_INLINE void cnd_mve_copy(int8_t* to, const int8_t* from, int32_t count) {
#if defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__)
  __asm__ volatile(
      "wlstp.8 lr, %[n], 2f\n"
      "1:\n\t"
      "vldrb.8 q0, [%[from]], #16\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n"
      "2:"
      : [to] "+r"(to), [from] "+r"(from)
      : [n] "r"(count)
      : "q0", "lr", "memory");
#else
  for (; count > 0; count -= 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)count);
    vstrbq_p_s8(to, vldrbq_z_s8(from, lanes), lanes);
    to += 16;
    from += 16;
  }
#endif
}

CND_INLINE void cnd_mve_fill(int8_t* to, int32_t value, int32_t count) {
  const int8x16_t same = vdupq_n_s8((int8_t)value);
  for (; count > 0; count -= 16) {
    vstrbq_p_s8(to, same, vctp8q((uint32_t)count));
    to += 16;
  }
}

#endif

#endif
