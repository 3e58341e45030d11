/* The same of kernels whose weights have 4 bits: two forms of one text do not fit into one source. */
#define CONDENSER_MVE_KERNELS
#define __ARM_FEATURE_DSP 1
#define __ARM_FEATURE_SIMD32 1
#define __ARM_FEATURE_MVE 1
#include "support/arm_mve/kernels.h"

#include "runtime/kernels/cnd_conv2d_w4.c"
#include "runtime/kernels/cnd_depthwise_w4.c"
#include "runtime/kernels/cnd_linear_w4.c"
