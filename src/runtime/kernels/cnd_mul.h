/* Product of two int8 tensors in TFLite's form, where one of them may be a single pixel [1, c] that multiplies every
 * pixel of the other:
 *
 *   out = zero_point + requantize((a - a zero point) * (b - b zero point)),   clamped to int8
 *
 * with a_scale * b_scale / output_scale = multiplier * 2^(shift - 31). */
#ifndef CND_MUL_H
#define CND_MUL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels, channels;   /* of the output */
  int32_t a_step, b_step;     /* values from one pixel of the input to the next: channels, or 0 for a single pixel */
  int32_t a_offset, b_offset; /* minus the zero points of the inputs */
  int32_t multiplier, shift;
  int32_t output_zero_point;
} cnd_mul_params;

/* The output may be an input of its own size. */
void cnd_mul(const cnd_mul_params* p, const int8_t* a, const int8_t* b, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
