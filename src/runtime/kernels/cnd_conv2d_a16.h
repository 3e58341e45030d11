/* Convolution, depthwise convolution or linear layer (a convolution of one pixel) whose input or output has 16 bits a
 * value; weights have 8:
 *
 *   out = zero_point + requantize(bias + sum of (input - input zero point) * weight),   clamped to [act_min, act_max]
 *
 * with input_scale * weight_scale / output_scale = multiplier * 2^(shift - 31) of each output channel. Padding is zero.
 */
#ifndef CND_CONV2D_A16_H
#define CND_CONV2D_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t groups;
  int32_t input_bits, input_zero_point; /* 8 or 16; of 16 bits 0 */
  int32_t output_bits, output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within what its bits can say */
} cnd_conv2d_a16_params;

/* weight: [out_c, kernel_h, kernel_w, in_c / groups]. The caller has checked that no sum of products and bias leaves 32
 * bits. Nothing overlaps the output. */
void cnd_conv2d_a16(const cnd_conv2d_a16_params* p, const int8_t* weight, const int32_t* bias,
                    const int32_t* multiplier, const int8_t* shift, const void* input, void* output);

#ifdef __cplusplus
}
#endif

#endif
