/* The depthwise convolution of cnd_depthwise_layer.h with weights of 4 bits. */
#include "cnd_depthwise_w4.h"

#include "cnd_nibbles.h"

#define CND_DEPTHWISE_BITS 4
#include "cnd_depthwise_layer.h"

void cnd_depthwise_w4(const cnd_depthwise_w4_params* p, const int8_t* weights, const int32_t* bias,
                      const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                      int8_t* output) {
  cnd_depthwise_run(p, weights, bias, multiplier, shift, scratch, input, output);
}
