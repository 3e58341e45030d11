/* Lines of windows of three by three values, one or two apart: four neighbouring ones at once, in assembler that uses
 * every register there is; where CND_NINE is not defined, C does the same. */
#ifndef CND_NINE_H
#define CND_NINE_H

#include "cnd_scale.h"

#if defined(CND_DSP) && !defined(CND_MVE) && defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__) && \
    !defined(CND_KEEP_R9)
#define CND_NINE 1

/* The order is known to assembler. */
typedef struct {
  int32_t bias[4];                   /* four times the same */
  uint32_t weights[6];               /* of each row w0 w1, w1 w2 */
  int32_t step;                      /* values from one output to the next */
  int32_t multiplier, offset, right; /* cnd_scale_quick() */
  int32_t row;                       /* bytes from a row of windows to the next */
  const int16_t* limit;              /* where the last four whole outputs of a line end, set by assembler */
  int32_t rest;                      /* outputs of a line that are left then, less than four */
  int32_t whole;                     /* bytes of the windows of the others */
  int32_t next_x, next_out;          /* bytes from a line to the next */
  const int16_t* x;                  /* the line's first window */
  int8_t* out;                       /* and output */
  int32_t lines;                     /* that are still to do, at least one */
  int8_t* at;                        /* the next output */
} cnd_nine;

/* A row of windows one apart: six values in r6 to r8, weights in r10 and r11. */
#define CND_NINE_ROW_1(from, weights) \
  "ldmia " from                       \
  ", {r6, r7, r8}\n\t"                \
  "ldrd r10, r11, [r12, #" weights    \
  "]\n\t"                             \
  "smlad r2, r6, r10, r2\n\t"         \
  "smlad r3, r7, r11, r3\n\t"         \
  "smlad r4, r7, r10, r4\n\t"         \
  "smlad r5, r8, r11, r5\n\t"         \
  "smlabt r2, r7, r11, r2\n\t"        \
  "smlatb r3, r6, r10, r3\n\t"        \
  "smlabt r4, r8, r11, r4\n\t"        \
  "smlatb r5, r7, r10, r5\n\t"

/* Two apart: ten values in r6 to r10, weights in r11 and lr. */
#define CND_NINE_ROW_2(from, weights) \
  "ldmia " from                       \
  ", {r6, r7, r8, r9, r10}\n\t"       \
  "ldrd r11, lr, [r12, #" weights     \
  "]\n\t"                             \
  "smlad r2, r6, r11, r2\n\t"         \
  "smlad r3, r7, r11, r3\n\t"         \
  "smlad r4, r8, r11, r4\n\t"         \
  "smlad r5, r9, r11, r5\n\t"         \
  "smlabt r2, r7, lr, r2\n\t"         \
  "smlabt r3, r8, lr, r3\n\t"         \
  "smlabt r4, r9, lr, r4\n\t"         \
  "smlabt r5, r10, lr, r5\n\t"

#define CND_NINE_VALUE(sum) \
  "add r10, r7, " sum       \
  ", asr #31\n\t"           \
  "lsl " sum ", " sum       \
  ", #1\n\t"                \
  "smmlar " sum ", " sum    \
  ", r6, r10\n\t"           \
  "asr " sum ", " sum       \
  ", r8\n\t"                \
  "ssat " sum ", #8, " sum "\n\t"

#define CND_NINE_BEGIN          \
  "push {r4-r11, lr}\n\t"       \
  "mov r12, r0\n"               \
  "1:\n\t"                      \
  "ldrd r0, lr, [r12, #80]\n\t" \
  "ldr r1, [r12, #68]\n\t"      \
  "add r1, r1, r0\n\t"          \
  "str r1, [r12, #60]\n\t"

#define CND_NINE_VALUES  \
  "add r1, r12, #40\n\t" \
  "ldmia r1, {r1, r6, r7, r8}\n\t" CND_NINE_VALUE("r2") CND_NINE_VALUE("r3") CND_NINE_VALUE("r4") CND_NINE_VALUE("r5")

/* To where lr points, and the next line; `keep`: of lr in front of the next four. */
#define CND_NINE_END(keep)          \
  "ldr r11, [r12, #60]\n\t"         \
  "strb r2, [lr]\n\t"               \
  "cmp r0, r11\n\t"                 \
  "bhi 3f\n\t"                      \
  "strb r3, [lr, r1]\n\t"           \
  "strb r4, [lr, r1, lsl #1]\n\t"   \
  "add lr, lr, r1, lsl #1\n\t"      \
  "strb r5, [lr, r1]\n\t"           \
  "add lr, lr, r1, lsl #1\n\t" keep \
  "bne 2b\n\t"                      \
  "ldr r11, [r12, #64]\n\t"         \
  "cmp r11, #0\n\t"                 \
  "bne 2b\n\t"                      \
  "b 4f\n"                          \
  "3:\n\t"                          \
  "ldr r11, [r12, #64]\n\t"         \
  "cmp r11, #2\n\t"                 \
  "blo 4f\n\t"                      \
  "strb r3, [lr, r1]\n\t"           \
  "beq 4f\n\t"                      \
  "strb r4, [lr, r1, lsl #1]\n"     \
  "4:\n\t"                          \
  "ldrd r0, lr, [r12, #80]\n\t"     \
  "ldrd r1, r2, [r12, #72]\n\t"     \
  "add r0, r0, r1\n\t"              \
  "add lr, lr, r2\n\t"              \
  "strd r0, lr, [r12, #80]\n\t"     \
  "ldr r1, [r12, #88]\n\t"          \
  "subs r1, r1, #1\n\t"             \
  "str r1, [r12, #88]\n\t"          \
  "bne 1b\n\t"                      \
  "pop {r4-r11, pc}"

__attribute__((naked, noinline, unused)) static void cnd_nine_1(cnd_nine* lines __attribute__((unused))) {
  __asm__ volatile(
      CND_NINE_BEGIN
      "ldr r9, [r12, #56]\n"
      "2:\n\t"
      "ldmia r12, {r2-r5}\n\t" CND_NINE_ROW_1("r0", "16") "add r1, r0, r9\n\t" CND_NINE_ROW_1(
          "r1", "24") "add r1, r1, r9\n\t" CND_NINE_ROW_1("r1",
                                                          "32") "add r0, r0, #8\n\t" CND_NINE_VALUES CND_NINE_END(""));
}

__attribute__((naked, noinline, unused)) static void cnd_nine_2(cnd_nine* lines __attribute__((unused))) {
  __asm__ volatile(CND_NINE_BEGIN
                   "str lr, [r12, #92]\n"
                   "2:\n\t"
                   "ldmia r12, {r2-r5}\n\t" CND_NINE_ROW_2("r0", "16")
                   "ldr r1, [r12, #56]\n\t"
                   "add r1, r1, r0\n\t" CND_NINE_ROW_2("r1", "24")
                   "ldr r6, [r12, #56]\n\t"
                   "add r1, r1, r6\n\t" CND_NINE_ROW_2("r1", "32")
                   "add r0, r0, #16\n\t" CND_NINE_VALUES
                   "ldr lr, [r12, #92]\n\t" CND_NINE_END("str lr, [r12, #92]\n\t"));
}

#endif

#endif
