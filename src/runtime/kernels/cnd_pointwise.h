/* Dense 1x1 int8 convolution with stride 1 and no padding: a matrix product over pixels. Tensors are [pixels, c]. */
#ifndef CND_POINTWISE_H
#define CND_POINTWISE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels; /* height times width */
  int32_t in_c, out_c;
  int32_t input_offset; /* minus the zero point of the input */
  int32_t output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within [-128, 127] */
} cnd_pointwise_params;

/* weights: [out_c, in_c]; bias, multiplier, shift: [out_c]. The output must not overlap the input. */
void cnd_pointwise(const cnd_pointwise_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
