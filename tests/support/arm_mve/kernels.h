/* Kernels in their Arm MVE form, on the host. */
#ifndef CONDENSER_TESTS_MVE_KERNELS_H
#define CONDENSER_TESTS_MVE_KERNELS_H

#ifdef CONDENSER_MVE_KERNELS /* renames, in the file that compiles them */
#define cnd_add cnd_add_mve
#define cnd_conv2d cnd_conv2d_mve
#define cnd_conv2d_w4 cnd_conv2d_w4_mve
#define cnd_depthwise cnd_depthwise_mve
#define cnd_depthwise_w4 cnd_depthwise_w4_mve
#define cnd_linear cnd_linear_mve
#define cnd_linear_w4 cnd_linear_w4_mve
#define cnd_scale cnd_scale_mve
#endif

#include "runtime/kernels/cnd_add.h"
#include "runtime/kernels/cnd_conv2d.h"
#include "runtime/kernels/cnd_conv2d_w4.h"
#include "runtime/kernels/cnd_depthwise.h"
#include "runtime/kernels/cnd_depthwise_w4.h"
#include "runtime/kernels/cnd_linear.h"
#include "runtime/kernels/cnd_linear_w4.h"

#ifndef CONDENSER_MVE_KERNELS
#ifdef __cplusplus
extern "C" {
#endif
void cnd_add_mve(const cnd_add_params* p, const int8_t* a, const int8_t* b, int8_t* output);
void cnd_conv2d_mve(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                    const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output);
void cnd_conv2d_w4_mve(const cnd_conv2d_w4_params* p, const int8_t* weights, const int32_t* bias,
                       const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                       int8_t* output);
void cnd_depthwise_mve(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias,
                       const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                       int8_t* output);
void cnd_depthwise_w4_mve(const cnd_depthwise_w4_params* p, const int8_t* weights, const int32_t* bias,
                          const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                          int8_t* output);
void cnd_linear_mve(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                    const int8_t* shift, const int8_t* input, int8_t* output);
void cnd_linear_w4_mve(const cnd_linear_w4_params* p, const int8_t* weights, const int32_t* bias,
                       const int32_t* multiplier, const int8_t* shift, const int8_t* input, int8_t* output);
#ifdef __cplusplus
}
#endif
#endif

#endif
