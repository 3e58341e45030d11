/* Depthwise int8 convolution with weights of 4 bits with a channel multiplier: output channel o reads input channel o /
 * (out_c / in_c). Tensors are [h, w, c], one sample. */
#ifndef CND_DEPTHWISE_W4_H
#define CND_DEPTHWISE_W4_H

#include "cnd_depthwise_params.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef cnd_depthwise_params cnd_depthwise_w4_params;

/* weights: [kernel_h, kernel_w, (out_c + 1) / 2] bytes, each of two neighbouring channels (cnd_nibbles.h); bias,
 * multiplier, shift: [out_c]. Inputs are multiplied as they are stored: each bias holds minus the input's zero point
 * times the sum of its weights, as they are unpacked. scratch, and where the output may overlap the input:
 * cnd_depthwise_params.h. */
void cnd_depthwise_w4(const cnd_depthwise_w4_params* p, const int8_t* weights, const int32_t* bias,
                      const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                      int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
