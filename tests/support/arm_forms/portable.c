/* The same kernels in portable C. */
#define CND_NO_DSP
#include "runtime/kernels/cnd_conv2d.c"
#include "runtime/kernels/cnd_depthwise.c"
#include "runtime/kernels/cnd_linear.c"
#include "runtime/kernels/cnd_scale.c"
