/* Depthwise int8 convolution with a channel multiplier: output channel o reads input channel o / (out_c / in_c).
 * Tensors are [h, w, c], one sample. */
#ifndef CND_DEPTHWISE_H
#define CND_DEPTHWISE_H

#include "cnd_depthwise_params.h"

#ifdef __cplusplus
extern "C" {
#endif

/* weights: [kernel_h, kernel_w, out_c]; bias, multiplier, shift: [out_c]. Inputs are multiplied as they are stored:
 * each bias holds minus the input's zero point times the sum of its weights.
 * scratch, and where the output may overlap the input: cnd_depthwise_params.h. */
void cnd_depthwise(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
