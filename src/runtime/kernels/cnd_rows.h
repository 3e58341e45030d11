/* Rows of weights times one vector, in assembler that uses nearly every register: four rows at once, from the first
 * load to the stored values. Where CND_ROWS is not defined, C does the same. */
#ifndef CND_ROWS_H
#define CND_ROWS_H

#include "cnd_scale.h"

#if defined(CND_DSP) && !defined(CND_MVE) && defined(__GNUC__) && defined(__thumb2__) && defined(__OPTIMIZE__) && \
    !defined(CND_KEEP_R9)
#define CND_ROWS 1

/* The order is known to assembler. */
typedef struct {
  const int8_t* x;
  int32_t count; /* of its values: a multiple of four, at least one */
  const int8_t* weights;
  const int32_t* bias;
  const int32_t* multiplier;
  const int8_t* shift; /* -16 to -1 */
  int8_t* out;
  const int8_t* end; /* of the output: a multiple of four, at least one */
  int32_t offset;    /* of a cnd_scale_range that is quick */
  const void* entry; /* where the loop begins, set by assembler */
} cnd_rows;

/* The next four values of x with those of a row, which add to a sum. */
#define CND_ROWS_FOUR(sum, load) \
  "ldr r10, " load               \
  "\n\t"                         \
  "sxtb16 r11, r10, ror #8\n\t"  \
  "sxtb16 r10, r10\n\t"          \
  "smlad " sum ", r9, r11, " sum \
  "\n\t"                         \
  "smlad " sum ", r8, r10, " sum "\n\t"

/* 23 instructions of four bytes. */
#define CND_ROWS_STEP                                                                                                 \
  "ldr.w r8, [r0], #4\n\t"                                                                                            \
  "sxtb16 r9, r8, ror #8\n\t"                                                                                         \
  "sxtb16 r8, r8\n\t" CND_ROWS_FOUR("r3", "[r1, r7]") CND_ROWS_FOUR("r2", "[r1], #4") CND_ROWS_FOUR("r5", "[r6, r7]") \
      CND_ROWS_FOUR("r4", "[r6], #4")

/* cnd_scale_quick(), by the lowest byte of r1. */
#define CND_ROWS_VALUE(sum, multiplier)  \
  "lsl r10, lr, r1\n\t"                  \
  "add r10, r10, " sum                   \
  ", asr #31\n\t"                        \
  "lsl " sum ", " sum                    \
  ", #1\n\t"                             \
  "smmlar " sum ", " sum ", " multiplier \
  ", r10\n\t"                            \
  "asr " sum ", " sum                    \
  ", r1\n\t"                             \
  "ssat " sum ", #8, " sum               \
  ", asr #1\n\t"                         \
  "strb " sum ", [r0], #1\n\t"

__attribute__((naked, noinline, unused)) static void cnd_rows_run(cnd_rows* rows __attribute__((unused))) {
  __asm__ volatile(
      "push {r4-r11, lr}\n\t"
      "mov r12, r0\n\t"
      "ldr r1, [r12, #4]\n\t"
      "rsb r1, r1, #0\n\t"
      "and r1, r1, #12\n\t" /* steps to leave out, times 4; times 92 follows */
      "mov r2, #23\n\t"
      "mul r1, r1, r2\n\t"
      "adr r2, 2f\n\t"
      "add r1, r1, r2\n\t"
      "orr r1, r1, #1\n\t"
      "str r1, [r12, #36]\n"
      "1:\n\t"
      "ldrd r1, r6, [r12, #8]\n\t"
      "ldmia r6!, {r2-r5}\n\t"
      "str r6, [r12, #12]\n\t"
      "ldrd r0, r7, [r12]\n\t"
      "add r6, r1, r7, lsl #1\n\t"
      "add lr, r0, r7\n\t"
      "ldr pc, [r12, #36]\n\t"
      ".balign 4\n"
      "2:\n\t" CND_ROWS_STEP CND_ROWS_STEP CND_ROWS_STEP CND_ROWS_STEP
      "cmp r0, lr\n\t"
      "bne 2b\n\t"
      "add r1, r6, r7\n\t"
      "str r1, [r12, #8]\n\t"
      "ldrd r0, r11, [r12, #16]\n\t"
      "ldmia r0!, {r6-r9}\n\t"
      "ldr r1, [r11], #4\n\t"
      "strd r0, r11, [r12, #16]\n\t"
      "mvn r1, r1\n\t" /* of each shift what is one less to the right */
      "ldr r0, [r12, #24]\n\t"
      "ldr lr, [r12, #32]\n\t" CND_ROWS_VALUE("r2", "r6")
      "ror r1, r1, #8\n\t" CND_ROWS_VALUE("r3", "r7")
      "ror r1, r1, #8\n\t" CND_ROWS_VALUE("r4", "r8")
      "ror r1, r1, #8\n\t" CND_ROWS_VALUE("r5", "r9")
      "str r0, [r12, #24]\n\t"
      "ldr r1, [r12, #28]\n\t"
      "cmp r0, r1\n\t"
      "bne 1b\n\t"
      "pop {r4-r11, pc}");
}

#endif

#endif
