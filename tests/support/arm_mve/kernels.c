/* The MVE forms of the kernels, compiled for the host with the intrinsics of the header beside this file. */
#define CONDENSER_MVE_KERNELS
#define __ARM_FEATURE_DSP 1
#define __ARM_FEATURE_SIMD32 1
#define __ARM_FEATURE_MVE 1
#include "support/arm_mve/kernels.h"

#include "runtime/kernels/cnd_add.c"
#include "runtime/kernels/cnd_conv2d.c"
#include "runtime/kernels/cnd_depthwise.c"
#include "runtime/kernels/cnd_linear.c"
#include "runtime/kernels/cnd_scale.c"
