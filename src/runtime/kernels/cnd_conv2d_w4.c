/* The convolution of cnd_conv2d_layer.h with weights of 4 bits. */
#include "cnd_conv2d_w4.h"

#include "cnd_nibbles.h"

#define CND_CONV2D_BITS 4
#include "cnd_conv2d_layer.h"

void cnd_conv2d_w4(const cnd_conv2d_w4_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output) {
  cnd_conv2d_run(p, weights, bias, multiplier, shift, scratch, input, output);
}
