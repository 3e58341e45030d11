/* The same with weights of 4 bits. */
#define CND_NO_DSP
#include "runtime/kernels/cnd_conv2d_w4.c"
#include "runtime/kernels/cnd_depthwise_w4.c"
#include "runtime/kernels/cnd_linear_w4.c"
