/* Int8 fully connected layer with weights of 4 bits; also a dense 1x1 convolution of a map of one pixel. */
#ifndef CND_LINEAR_W4_H
#define CND_LINEAR_W4_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_c, out_c;
  int32_t output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within [-128, 127] */
  int32_t short_scale;      /* 1: every |sum| is below 2^30 and every shift negative, so that scaling may be short */
} cnd_linear_w4_params;

/* weights: [(out_c + 1) / 2, in_c] bytes, each of two neighbouring outputs (cnd_nibbles.h); bias, multiplier, shift:
 * [out_c]. Inputs are multiplied as they are stored: each bias holds minus the input's zero point times the sum of its
 * weights, as they are unpacked. The output must not overlap the input. */
void cnd_linear_w4(const cnd_linear_w4_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
