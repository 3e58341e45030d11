/* Parametric ReLU in TFLite's form: with x = input - zero point,
 *
 *   out = zero_point + requantize(x, positive)              for x >= 0
 *   out = zero_point + requantize(x * slope[c], negative)   below,        clamped to int8
 *
 * with input_scale / output_scale as the positive multiplier, times the slopes' one scale as the negative one. Tensors
 * are [pixels, c]. */
#ifndef CND_PRELU_H
#define CND_PRELU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels, channels;
  int32_t input_offset; /* minus the zero point of the input */
  int32_t positive_multiplier, positive_shift;
  int32_t negative_multiplier, negative_shift;
  int32_t output_zero_point;
} cnd_prelu_params;

/* slope: [channels]. The output may be the input itself. */
void cnd_prelu(const cnd_prelu_params* p, const int8_t* slope, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
