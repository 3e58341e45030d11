/* The DSP forms of the kernels, under names of their own. */
#define CONDENSER_DSP_KERNELS
#include "support/arm_dsp/kernels.h"

#ifndef __ARM_FEATURE_DSP
#error "expected a target with Arm's DSP instructions"
#endif

#include "runtime/kernels/cnd_conv2d.c"
#include "runtime/kernels/cnd_depthwise.c"
#include "runtime/kernels/cnd_linear.c"
#include "runtime/kernels/cnd_scale.c"
