/* The matrix product of convolutions: patches of two pixels times int8 weights of two output channels. Two forms of the
 * same functions: Arm's DSP instructions (Cortex-M4, M7, M33 and the A profile), where the compiler says that it has
 * them, and portable C. Sums are exact in either, so that both give the same integers; the caller guarantees that they
 * cannot overflow (checked when the network is built).
 *
 * A tile is the memory of the patches of pixels 0 and 1, `depth` values each. Where each value lies is known to this
 * file alone, and differs between the forms. */
#ifndef CND_TILE_H
#define CND_TILE_H

#include <stdint.h>

#include "cnd_dsp.h"
#include "cnd_mve.h"

/* n rounded down to a multiple; 0 <= n, a power of two. */
static inline int32_t cnd_tile_floor(int32_t n, int32_t multiple) {
  return (int32_t)((uint32_t)n & ~((uint32_t)multiple - 1u));
}

#if defined(CND_DSP) && !defined(CND_MVE)

/* Four values of a patch stand as 0, 2, 1, 3: so SXTB16 widens them, and the weights alike. The groups of four of two
 * pixels alternate, and zeros make the last group whole. */
typedef struct {
  int16_t* to;
  uint32_t word;    /* bytes that wait for a group to be whole: the highest ones */
  uint32_t waiting; /* how many */
} cnd_tile_writer;

static inline cnd_tile_writer cnd_tile_begin(void* tile, int32_t depth, int32_t pixel) {
  const cnd_tile_writer w = {(int16_t*)tile + 4 * pixel, 0, 0};
  (void)depth;
  return w;
}

CND_INLINE void cnd_tile_group(cnd_tile_writer* w, uint32_t four) {
  const uint32_t x02 = cnd_sxtb16(four);
  const uint32_t x13 = cnd_sxtb16_ror8(four);
#if defined(__GNUC__) && defined(__thumb2__)
  __asm__ volatile("strd %1, %2, [%0], #16" : "+r"(w->to) : "r"(x02), "r"(x13) : "memory");
#else
  cnd_store_2x16(w->to, x02);
  cnd_store_2x16(w->to + 2, x13);
  w->to += 8;
#endif
}

CND_INLINE void cnd_tile_byte(cnd_tile_writer* w, int32_t x) {
  w->word = (w->word >> 8) | ((uint32_t)x << 24);
  ++w->waiting;
  if (w->waiting == 4u) {
    cnd_tile_group(w, w->word);
    w->waiting = 0;
  }
}

/* The next values of the patch. */
CND_INLINE void cnd_tile_put(cnd_tile_writer* w, const int8_t* x, int32_t count) {
  if (w->waiting != 0u) { /* groups of bytes that wait and the first of the next four, whose last ones wait then */
    for (; count >= 4; count -= 4) {
      const uint32_t four = cnd_load_4x8(x);
      cnd_tile_group(w, (w->word >> (32u - 8u * w->waiting)) | (four << (8u * w->waiting)));
      w->word = four;
      x += 4;
    }
  }
  for (; count >= 8; count -= 8) {
    cnd_tile_group(w, cnd_load_4x8(x));
    cnd_tile_group(w, cnd_load_4x8(x + 4));
    x += 8;
  }
  if (count >= 4) {
    cnd_tile_group(w, cnd_load_4x8(x));
    x += 4;
    count -= 4;
  }
  for (; count > 0; --count) {
    cnd_tile_byte(w, *x++);
  }
}

/* The next values are all alike: padding. */
static void cnd_tile_fill(cnd_tile_writer* w, int32_t value, int32_t count) {
  const uint32_t four = ((uint32_t)value & 0xffu) * 0x01010101u;
  for (; count > 0 && w->waiting != 0u; --count) {
    cnd_tile_byte(w, value);
  }
  for (; count >= 4; count -= 4) {
    cnd_tile_group(w, four);
  }
  for (; count > 0; --count) {
    cnd_tile_byte(w, value);
  }
}

/* After the last value. */
CND_INLINE void cnd_tile_end(cnd_tile_writer* w) {
  while (w->waiting != 0u) {
    cnd_tile_byte(w, 0);
  }
}

typedef struct {
  int32_t xa, ya, xb, yb;
} cnd_tile_sums;

/* Four values of two pixels, x and y, with two rows of weights, a and b; all three pointers go on. */
CND_INLINE cnd_tile_sums cnd_tile_step(const int16_t** tile, const int8_t** a, const int8_t** b, cnd_tile_sums s) {
#if defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__)
  /* A compiler that orders these instructions by itself keeps sums on the stack. Two parts, so that a firmware that
   * sets registers aside still finds enough of them. */
  uint32_t w0, w1, w2, w3, x0, x1;
  __asm__(
      "ldr %[w0], [%[a]], #4\n\t"
      "ldrd %[x0], %[x1], [%[t]], #8\n\t"
      "ldr %[w2], [%[b]], #4\n\t"
      "sxtb16 %[w1], %[w0], ror #8\n\t"
      "sxtb16 %[w0], %[w0]\n\t"
      "sxtb16 %[w3], %[w2], ror #8\n\t"
      "sxtb16 %[w2], %[w2]\n\t"
      "smlad %[xa], %[x0], %[w0], %[xa]\n\t"
      "smlad %[xb], %[x0], %[w2], %[xb]\n\t"
      "smlad %[xa], %[x1], %[w1], %[xa]\n\t"
      "smlad %[xb], %[x1], %[w3], %[xb]"
      : [xa] "+r"(s.xa), [xb] "+r"(s.xb), [t] "+r"(*tile), [a] "+r"(*a), [b] "+r"(*b), [w0] "=&r"(w0), [w1] "=&r"(w1),
        [w2] "=&r"(w2), [w3] "=&r"(w3), [x0] "=&r"(x0), [x1] "=&r"(x1)
      :
      : "memory");
  __asm__(
      "ldrd %[x0], %[x1], [%[t]], #8\n\t"
      "smlad %[ya], %[x0], %[w0], %[ya]\n\t"
      "smlad %[yb], %[x0], %[w2], %[yb]\n\t"
      "smlad %[ya], %[x1], %[w1], %[ya]\n\t"
      "smlad %[yb], %[x1], %[w3], %[yb]"
      : [ya] "+r"(s.ya), [yb] "+r"(s.yb), [t] "+r"(*tile), [x0] "=&r"(x0), [x1] "=&r"(x1)
      : [w0] "r"(w0), [w1] "r"(w1), [w2] "r"(w2), [w3] "r"(w3)
      : "memory");
#else
  uint32_t x02, x13;
  const uint32_t wa = cnd_load_4x8(*a);
  const uint32_t a13 = cnd_sxtb16_ror8(wa);
  const uint32_t a02 = cnd_sxtb16(wa);
  const uint32_t wb = cnd_load_4x8(*b);
  const uint32_t b13 = cnd_sxtb16_ror8(wb);
  const uint32_t b02 = cnd_sxtb16(wb);
  cnd_load_4x16(*tile, &x02, &x13);
  s.xa = cnd_smlad(x13, a13, cnd_smlad(x02, a02, s.xa));
  s.xb = cnd_smlad(x13, b13, cnd_smlad(x02, b02, s.xb));
  cnd_load_4x16(*tile + 4, &x02, &x13);
  s.ya = cnd_smlad(x13, a13, cnd_smlad(x02, a02, s.ya));
  s.yb = cnd_smlad(x13, b13, cnd_smlad(x02, b02, s.yb));
  *a += 4;
  *b += 4;
  *tile += 8;
#endif
  return s;
}

/* sum[0], sum[1]: two pixels with the weights a; sum[2], sum[3]: with b. Added to what stands there. `whole`: depth
 * rounded up to a multiple of four where the three bytes behind both rows may be read, as they meet zeros; else down.
 */
CND_INLINE void cnd_tile_2x2(const int16_t* tile, const int8_t* a, const int8_t* b, int32_t depth, int32_t whole,
                             int32_t sum[4]) {
  cnd_tile_sums s = {sum[0], sum[1], sum[2], sum[3]};
  const int16_t* const sixteens = tile + 2 * cnd_tile_floor(whole, 16);
  const int16_t* const fours = tile + 2 * whole;
  while (tile != sixteens) {
    s = cnd_tile_step(&tile, &a, &b, s);
    s = cnd_tile_step(&tile, &a, &b, s);
    s = cnd_tile_step(&tile, &a, &b, s);
    s = cnd_tile_step(&tile, &a, &b, s);
  }
  while (tile != fours) {
    s = cnd_tile_step(&tile, &a, &b, s);
  }
  for (int32_t i = 0; i < depth - whole; ++i) {
    const int32_t at = i == 1 ? 2 : i / 2; /* 0, 2, 1 */
    s.xa += (int32_t)tile[at] * (int32_t)a[i];
    s.ya += (int32_t)tile[at + 4] * (int32_t)a[i];
    s.xb += (int32_t)tile[at] * (int32_t)b[i];
    s.yb += (int32_t)tile[at + 4] * (int32_t)b[i];
  }
  sum[0] = s.xa;
  sum[1] = s.ya;
  sum[2] = s.xb;
  sum[3] = s.yb;
}

#else

/* One patch after the other, as bytes. */
typedef struct {
  int8_t* to;
} cnd_tile_writer;

static inline cnd_tile_writer cnd_tile_begin(void* tile, int32_t depth, int32_t pixel) {
  const cnd_tile_writer w = {(int8_t*)tile + pixel * depth};
  return w;
}

CND_INLINE void cnd_tile_put(cnd_tile_writer* w, const int8_t* x, int32_t count) {
#ifdef CND_MVE
  cnd_mve_copy(w->to, x, count);
#else
  for (int32_t i = 0; i < count; ++i) {
    w->to[i] = x[i];
  }
#endif
  w->to += count;
}

static void cnd_tile_fill(cnd_tile_writer* w, int32_t value, int32_t count) {
#ifdef CND_MVE
  cnd_mve_fill(w->to, value, count);
#else
  for (int32_t i = 0; i < count; ++i) {
    w->to[i] = (int8_t)value;
  }
#endif
  w->to += count;
}

static inline void cnd_tile_end(const cnd_tile_writer* w) { (void)w; }

#ifndef CND_MVE

/* One patch with two rows of weights. */
static inline void cnd_tile_1x2(const int8_t* x, const int8_t* a, const int8_t* b, int32_t depth, int32_t* sum_a,
                                int32_t* sum_b) {
  int32_t sa = *sum_a;
  int32_t sb = *sum_b;
  int32_t i = 0;
  while (i < cnd_tile_floor(depth, 4)) { /* by hand, as compilers do not */
    const int32_t x0 = x[i];
    sa += x0 * (int32_t)a[i];
    sb += x0 * (int32_t)b[i];
    ++i;
    const int32_t x1 = x[i];
    sa += x1 * (int32_t)a[i];
    sb += x1 * (int32_t)b[i];
    ++i;
    const int32_t x2 = x[i];
    sa += x2 * (int32_t)a[i];
    sb += x2 * (int32_t)b[i];
    ++i;
    const int32_t x3 = x[i];
    sa += x3 * (int32_t)a[i];
    sb += x3 * (int32_t)b[i];
    ++i;
  }
  for (; i < depth; ++i) {
    sa += (int32_t)x[i] * (int32_t)a[i];
    sb += (int32_t)x[i] * (int32_t)b[i];
  }
  *sum_a = sa;
  *sum_b = sb;
}

/* Two passes need half of the registers: Cortex-M0 and its like have only eight. */
#if defined(__thumb__) && !defined(__thumb2__)
#define CND_TILE_PASSES 2
#else
#define CND_TILE_PASSES 1
#endif

CND_INLINE void cnd_tile_2x2(const int16_t* tile, const int8_t* a, const int8_t* b, int32_t depth, int32_t whole,
                             int32_t sum[4]) {
  const int8_t* x = (const int8_t*)tile;
  const int8_t* y = x + depth;
  (void)whole;
#if CND_TILE_PASSES == 2
  cnd_tile_1x2(x, a, b, depth, &sum[0], &sum[2]);
  cnd_tile_1x2(y, a, b, depth, &sum[1], &sum[3]);
#else
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
  for (int32_t i = 0; i < depth; ++i) {
    s0 += (int32_t)x[i] * (int32_t)a[i];
    s1 += (int32_t)y[i] * (int32_t)a[i];
    s2 += (int32_t)x[i] * (int32_t)b[i];
    s3 += (int32_t)y[i] * (int32_t)b[i];
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
#endif
}

#endif

#endif

#endif
