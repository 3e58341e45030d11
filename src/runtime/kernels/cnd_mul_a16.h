/* Product of two tensors, each of 8 or 16 bits a value, in the form of cnd_mul.h: one of them may be a single pixel
 * [1, c] that multiplies every pixel of the other. */
#ifndef CND_MUL_A16_H
#define CND_MUL_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels, channels; /* of the output */
  int32_t a_bits, a_step;   /* values from one pixel of the input to the next: channels, or 0 for a single pixel */
  int32_t a_offset;         /* minus the zero point */
  int32_t b_bits, b_step, b_offset;
  int32_t multiplier, shift; /* a_scale * b_scale / output_scale = multiplier * 2^(shift - 31) */
  int32_t output_bits, output_zero_point;
  int32_t act_min, act_max; /* what the bits of the output can say */
} cnd_mul_a16_params;

/* The output may be an input of as many values that has its size, or begin where a larger one begins. */
void cnd_mul_a16(const cnd_mul_a16_params* p, const void* a, const void* b, void* output);

#ifdef __cplusplus
}
#endif

#endif
