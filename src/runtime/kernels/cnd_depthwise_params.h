/* Parameters and scratch of a depthwise int8 convolution, of weights of 8 bits and of 4. */
#ifndef CND_DEPTHWISE_PARAMS_H
#define CND_DEPTHWISE_PARAMS_H

#include <stdint.h>

enum { CND_DEPTHWISE_ROWS = 5 }; /* rows in scratch beyond those of one window, at most */

typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c; /* out_c is a multiple of in_c */
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t input_zero_point; /* what padding holds */
  int32_t output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within [-128, 127] */
  int32_t short_scale;      /* 1: every |sum| is below 2^30 and every shift negative, so that scaling may be short */
} cnd_depthwise_params;

/* scratch, at a multiple of four bytes: rows of padded input for as many lines of the output as CND_DEPTHWISE_ROWS
 * more rows than one window give, (lines - 1) * stride_h + kernel_h of them, each of (w - 1) * stride_w + kernel_w
 * values, w being out_w rounded up to a multiple of four, kernel_w and the sum rounded up to even numbers; then
 * kernel_h rows of weights, kernel_w rounded up again. Where out_h > out_w and (out_w - 1) * stride_w <=
 * CND_DEPTHWISE_ROWS, height and width change their parts. The output must not overlap the input, with one exception:
 * where out_c == in_c, out_h <= in_h, out_w <= in_w and pad_top < kernel_h, it may begin where the input begins. One
 * channel after the other is computed, and its rows are read before they are overwritten. */
#endif
