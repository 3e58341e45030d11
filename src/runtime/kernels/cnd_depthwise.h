/* Depthwise int8 convolution with a channel multiplier: output channel o reads input channel o / (out_c / in_c).
 * Tensors are [h, w, c], one sample. */
#ifndef CND_DEPTHWISE_H
#define CND_DEPTHWISE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c; /* out_c is a multiple of in_c */
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t input_offset; /* minus the zero point of the input; padding contributes nothing */
  int32_t output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within [-128, 127] */
} cnd_depthwise_params;

/* weights: [kernel_h, kernel_w, out_c]; bias, multiplier, shift: [out_c].
 * The output must not overlap the input, with one exception. Where out_c == in_c, out_h <= in_h and out_w <= in_w, it
 * may begin (rows * out_w + columns) * in_c bytes or more below the input, rows = min(pad_top / stride_h, out_h - 1),
 * columns = min(pad_left / stride_w, out_w - 1): pixels are computed in the order of memory, so that only what no later
 * pixel needs is overwritten. */
void cnd_depthwise(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
