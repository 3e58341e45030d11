/* Grouped int8 convolution (cross-correlation), any kernel, stride and padding. Tensors are [h, w, c], one sample. */
#ifndef CND_CONV2D_H
#define CND_CONV2D_H

#include "cnd_conv2d_params.h"

#ifdef __cplusplus
extern "C" {
#endif

/* weights: [out_c, kernel_h, kernel_w, in_c / groups]; bias, multiplier, shift: [out_c]. Inputs are multiplied as they
 * are stored: each bias holds minus the input's zero point times the sum of its weights. scratch: cnd_conv2d_params.h.
 * The output must not overlap the input. */
void cnd_conv2d(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
