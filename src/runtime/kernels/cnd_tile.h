/* The matrix product of convolutions: patches of two pixels times int8 weights of two output channels. Two forms: Arm's
 * DSP instructions (Cortex-M4, M7, M33 and the A profile), where the compiler says that it has them, and portable C.
 * Sums are exact in either, so that both give the same integers; the caller guarantees that they cannot overflow
 * (checked when the network is built). Where each value of a patch lies is known to this file alone. */
#ifndef CND_TILE_H
#define CND_TILE_H

#include <stdint.h>

#include "cnd_dsp.h"
#include "cnd_mve.h"
#include "cnd_scale.h"

/* n rounded down to a multiple; 0 <= n, a power of two. */
static inline int32_t cnd_tile_floor(int32_t n, int32_t multiple) {
  return (int32_t)((uint32_t)n & ~((uint32_t)multiple - 1u));
}

/* The values of a run of `count`, rounded up to whole groups. */
static inline int32_t cnd_tile_run(int32_t count) { return cnd_tile_floor(count + 3, 4); }

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

/* The next group of four of two rows. */
CND_INLINE void cnd_tile_fours(int16_t** to, const int8_t** a, const int8_t** b) {
#if defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__)
  __asm__ volatile(
      "ldr r2, [%[a]], #4\n\t"
      "ldr r4, [%[b]], #4\n\t"
      "sxtb16 r3, r2, ror #8\n\t"
      "sxtb16 r2, r2\n\t"
      "sxtb16 r5, r4, ror #8\n\t"
      "sxtb16 r4, r4\n\t"
      "stmia %[to]!, {r2, r3, r4, r5}"
      : [to] "+r"(*to), [a] "+r"(*a), [b] "+r"(*b)
      :
      : "r2", "r3", "r4", "r5", "memory");
#else
  const uint32_t x = cnd_load_4x8(*a);
  const uint32_t y = cnd_load_4x8(*b);
  cnd_store_2x16(*to, cnd_sxtb16(x));
  cnd_store_2x16(*to + 2, cnd_sxtb16_ror8(x));
  cnd_store_2x16(*to + 4, cnd_sxtb16(y));
  cnd_store_2x16(*to + 6, cnd_sxtb16_ror8(y));
  *a += 4;
  *b += 4;
  *to += 8;
#endif
}

/* The last one to three values of a run, and zeros; of a long run, the word that ends with them. */
CND_INLINE uint32_t cnd_tile_rest(const int8_t* x, int32_t count, int32_t rest) {
  if (count >= 4) {
    return cnd_load_4x8(x - (4 - rest)) >> (32 - 8 * rest);
  }
  uint32_t word = (uint8_t)x[0];
  if (rest > 1) {
    word |= (uint32_t)(uint8_t)x[1] << 8;
  }
  if (rest > 2) {
    word |= (uint32_t)(uint8_t)x[2] << 16;
  }
  return word;
}

/* Two runs of `count` values, of two pixels or of two channels. Where they end. */
CND_APART int16_t* cnd_tile_pair(int16_t* to, const int8_t* a, const int8_t* b, int32_t count) {
  const int16_t* const sixteens = to + 2 * cnd_tile_floor(count, 16);
  const int16_t* const fours = to + 2 * cnd_tile_floor(count, 4);
  const int32_t rest = count % 4;
  while (to != sixteens) {
    cnd_tile_fours(&to, &a, &b);
    cnd_tile_fours(&to, &a, &b);
    cnd_tile_fours(&to, &a, &b);
    cnd_tile_fours(&to, &a, &b);
  }
  while (to != fours) {
    cnd_tile_fours(&to, &a, &b);
  }
  if (rest != 0) {
    const uint32_t x = cnd_tile_rest(a, count, rest);
    const uint32_t y = cnd_tile_rest(b, count, rest);
    cnd_store_2x16(to, cnd_sxtb16(x));
    cnd_store_2x16(to + 2, cnd_sxtb16_ror8(x));
    cnd_store_2x16(to + 4, cnd_sxtb16(y));
    cnd_store_2x16(to + 6, cnd_sxtb16_ror8(y));
    to += 8;
  }
  return to;
}

/* A row of tiles: the patches of two pixels each, x and y, with the weights of two channels, a and b. The order is
 * known to assembler. */
typedef struct {
  const int16_t* weights;
  int32_t sums[4];                         /* where sums start: xa, ya, xb, yb */
  const void* entry;                       /* where the loop begins, in assembler */
  const int16_t* patches;                  /* of the first tile */
  const int16_t* weights_end;              /* behind a whole number of groups, at least one */
  int32_t back;                            /* bytes from behind a tile's patches to the next ones, mostly negative */
  int32_t multiplier_a, offset_a, right_a; /* cnd_scale_quick() */
  int32_t multiplier_b, offset_b, right_b;
  int8_t* x; /* the first tile's values of channel a */
  int8_t* y;
  int32_t next;      /* values from channel a to b */
  int32_t step;      /* values from one tile to the next */
  const int8_t* end; /* behind the last x; 0: one tile, whose sums are wanted */
} cnd_tile_row;

#if defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__) && !defined(CND_KEEP_R9)

#define CND_TILE_STEP                  \
  "ldmia r0!, {r6, r7, r8, r9}\n\t"    \
  "ldmia r1!, {r10, r11, r12, lr}\n\t" \
  "smlad r2, r6, r10, r2\n\t"          \
  "smlad r3, r8, r10, r3\n\t"          \
  "smlad r4, r6, r12, r4\n\t"          \
  "smlad r5, r8, r12, r5\n\t"          \
  "smlad r2, r7, r11, r2\n\t"          \
  "smlad r3, r9, r11, r3\n\t"          \
  "smlad r4, r7, lr, r4\n\t"           \
  "smlad r5, r9, lr, r5\n\t"

#define CND_TILE_VALUE(sum, multiplier, offset, right) \
  "add lr, " offset ", " sum                           \
  ", asr #31\n\t"                                      \
  "lsl " sum ", " sum                                  \
  ", #1\n\t"                                           \
  "smmlar " sum ", " sum ", " multiplier               \
  ", lr\n\t"                                           \
  "asr " sum ", " sum ", " right                       \
  "\n\t"                                               \
  "ssat " sum ", #8, " sum "\n\t"

/* Four values of two pixels and two channels take ten instructions of four bytes, and every register there is: so the
 * function is assembler as a whole. Its loop does eight such steps, the first time as many as are over. */
__attribute__((naked, noinline, unused)) static void cnd_tile_run_row(cnd_tile_row* row __attribute__((unused))) {
  __asm__ volatile(
      "push {r4-r11, lr}\n\t"
      "sub sp, #12\n\t"
      "ldr r1, [r0]\n\t"
      "ldr r2, [r0, #28]\n\t"
      "stmia sp, {r0, r2}\n\t"
      "sub r3, r1, r2\n\t"
      "and r3, r3, #112\n\t" /* steps to leave out, times 16; times 40 follows */
      "lsr r4, r3, #1\n\t"
      "add r4, r4, r3, lsl #1\n\t"
      "adr r5, 2f\n\t"
      "add r4, r4, r5\n\t"
      "orr r4, r4, #1\n\t"
      "str r4, [r0, #20]\n\t"
      "mov r12, r0\n\t"
      "ldr r0, [r0, #24]\n"
      "1:\n\t"
      "ldmia r12, {r1-r5}\n\t"
      "ldr pc, [r12, #20]\n\t"
      ".balign 4\n"
      "2:\n\t" CND_TILE_STEP CND_TILE_STEP CND_TILE_STEP CND_TILE_STEP CND_TILE_STEP CND_TILE_STEP CND_TILE_STEP
          CND_TILE_STEP
      "ldr r6, [sp, #4]\n\t"
      "cmp r1, r6\n\t"
      "bne 2b\n\t"
      "ldr r12, [sp]\n\t"
      "ldr r1, [r12, #76]\n\t"
      "cbnz r1, 3f\n\t"
      "add r12, r12, #4\n\t"
      "stmia r12, {r2-r5}\n\t"
      "b 4f\n"
      "3:\n\t"
      "add r6, r12, #36\n\t"
      "ldmia r6, {r6-r11}\n\t" CND_TILE_VALUE("r2", "r6", "r7", "r8") CND_TILE_VALUE("r3", "r6", "r7", "r8")
          CND_TILE_VALUE("r4", "r9", "r10", "r11") CND_TILE_VALUE("r5", "r9", "r10", "r11")
      "add r6, r12, #60\n\t"
      "ldmia r6, {r6-r9}\n\t"
      "strb r2, [r6]\n\t"
      "strb r3, [r7]\n\t"
      "strb r4, [r6, r8]\n\t"
      "strb r5, [r7, r8]\n\t"
      "add r6, r6, r9\n\t"
      "add r7, r7, r9\n\t"
      "strd r6, r7, [r12, #60]\n\t"
      "ldr r9, [r12, #32]\n\t"
      "add r0, r0, r9\n\t"
      "cmp r6, r1\n\t"
      "bne 1b\n"
      "4:\n\t"
      "add sp, #12\n\t"
      "pop {r4-r11, pc}");
}

#else

CND_APART void cnd_tile_run_row(cnd_tile_row* row) {
  const int16_t* x = row->patches;
  do {
    int32_t xa = row->sums[0];
    int32_t ya = row->sums[1];
    int32_t xb = row->sums[2];
    int32_t yb = row->sums[3];
    for (const int16_t* w = row->weights; w != row->weights_end; w += 8) {
      uint32_t x02, x13, y02, y13, w02, w13;
      cnd_load_4x16(x, &x02, &x13);
      cnd_load_4x16(x + 4, &y02, &y13);
      cnd_load_4x16(w, &w02, &w13);
      xa = cnd_smlad(x13, w13, cnd_smlad(x02, w02, xa));
      ya = cnd_smlad(y13, w13, cnd_smlad(y02, w02, ya));
      cnd_load_4x16(w + 4, &w02, &w13);
      xb = cnd_smlad(x13, w13, cnd_smlad(x02, w02, xb));
      yb = cnd_smlad(y13, w13, cnd_smlad(y02, w02, yb));
      x += 8;
    }
    if (row->end == 0) {
      row->sums[0] = xa;
      row->sums[1] = ya;
      row->sums[2] = xb;
      row->sums[3] = yb;
      return;
    }
    row->x[0] = (int8_t)cnd_scale_quick(xa, row->multiplier_a, row->right_a, row->offset_a);
    row->y[0] = (int8_t)cnd_scale_quick(ya, row->multiplier_a, row->right_a, row->offset_a);
    row->x[row->next] = (int8_t)cnd_scale_quick(xb, row->multiplier_b, row->right_b, row->offset_b);
    row->y[row->next] = (int8_t)cnd_scale_quick(yb, row->multiplier_b, row->right_b, row->offset_b);
    row->x += row->step;
    row->y += row->step;
    x += row->back / (int32_t)sizeof *x;
  } while (row->x != row->end);
}

#endif

#else

/* One patch after the other, as bytes: the tile of pixels 0 and 1. */
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

/* sum[0], sum[1]: two pixels with the weights a; sum[2], sum[3]: with b. Added to what stands there. */
CND_INLINE void cnd_tile_2x2(const int16_t* tile, const int8_t* a, const int8_t* b, int32_t depth, int32_t sum[4]) {
  const int8_t* x = (const int8_t*)tile;
  const int8_t* y = x + depth;
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
