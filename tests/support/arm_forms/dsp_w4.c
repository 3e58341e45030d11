/* The same with weights of 4 bits. */
#define CONDENSER_DSP_KERNELS
#include "support/arm_dsp/kernels.h"

#ifndef __ARM_FEATURE_DSP
#error "expected a target with Arm's DSP instructions"
#endif

#include "runtime/kernels/cnd_conv2d_w4.c"
#include "runtime/kernels/cnd_depthwise_w4.c"
#include "runtime/kernels/cnd_linear_w4.c"
