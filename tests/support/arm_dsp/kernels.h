/* Kernels in their Arm DSP form, on the host. */
#ifndef CONDENSER_TESTS_DSP_KERNELS_H
#define CONDENSER_TESTS_DSP_KERNELS_H

#ifdef CONDENSER_DSP_KERNELS /* renames, in the file that compiles them */
#define cnd_add cnd_add_dsp
#define cnd_avg_pool cnd_avg_pool_dsp
#define cnd_conv2d cnd_conv2d_dsp
#define cnd_conv2d_w4 cnd_conv2d_w4_dsp
#define cnd_depthwise cnd_depthwise_dsp
#define cnd_depthwise_w4 cnd_depthwise_w4_dsp
#define cnd_linear cnd_linear_dsp
#define cnd_linear_w4 cnd_linear_w4_dsp
#define cnd_scale cnd_scale_dsp
#define cnd_softmax_mul cnd_softmax_mul_dsp
#endif

#include "runtime/kernels/cnd_add.h"
#include "runtime/kernels/cnd_avg_pool.h"
#include "runtime/kernels/cnd_conv2d.h"
#include "runtime/kernels/cnd_conv2d_w4.h"
#include "runtime/kernels/cnd_depthwise.h"
#include "runtime/kernels/cnd_depthwise_w4.h"
#include "runtime/kernels/cnd_linear.h"
#include "runtime/kernels/cnd_linear_w4.h"
#include "runtime/kernels/cnd_softmax_mul.h"

#ifndef CONDENSER_DSP_KERNELS
#ifdef __cplusplus
extern "C" {
#endif
void cnd_add_dsp(const cnd_add_params* p, const int8_t* a, const int8_t* b, int8_t* output);
void cnd_avg_pool_dsp(const cnd_avg_pool_params* p, const int8_t* input, int8_t* output);
void cnd_conv2d_dsp(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                    const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output);
void cnd_conv2d_w4_dsp(const cnd_conv2d_w4_params* p, const int8_t* weights, const int32_t* bias,
                       const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                       int8_t* output);
void cnd_depthwise_dsp(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias,
                       const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                       int8_t* output);
void cnd_depthwise_w4_dsp(const cnd_depthwise_w4_params* p, const int8_t* weights, const int32_t* bias,
                          const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                          int8_t* output);
void cnd_linear_dsp(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                    const int8_t* shift, const int8_t* input, int8_t* output);
void cnd_linear_w4_dsp(const cnd_linear_w4_params* p, const int8_t* weights, const int32_t* bias,
                       const int32_t* multiplier, const int8_t* shift, const int8_t* input, int8_t* output);
void cnd_softmax_mul_dsp(const cnd_softmax_mul_params* p, const uint16_t* table, const int8_t* attention,
                         const int8_t* value, int8_t* output);
#ifdef __cplusplus
}
#endif
#endif

#endif
