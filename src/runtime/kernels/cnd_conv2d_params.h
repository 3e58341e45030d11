/* Parameters and scratch of a grouped int8 convolution, of weights of 8 bits and of 4. */
#ifndef CND_CONV2D_PARAMS_H
#define CND_CONV2D_PARAMS_H

#include <stdint.h>

/* Rows of the output that are computed at once, at most; more than 6 only where they take no more bytes than this. */
enum { CND_CONV2D_ROWS = 16, CND_CONV2D_ROWS_LONG = 6, CND_CONV2D_BYTES = 1024 };

typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left; /* what lies beyond the bottom and right edge follows from the output size */
  int32_t groups;
  int32_t input_zero_point; /* what padding holds */
  int32_t output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within [-128, 127] */
  int32_t short_scale;      /* 1: every |sum| is below 2^30 and every shift negative, so that scaling may be short */
} cnd_conv2d_params;

/* scratch, at a multiple of four bytes: (n - 1) * stride_h + 2 * kernel_h lines, each of 2 * kernel_w * in_c / groups
 * values, that number without the 2 rounded up to a multiple of four. n is CND_CONV2D_ROWS, at most the rows of the
 * output (where that is one pixel wide, or every window is a pixel of a map of the same size: half of its pixels,
 * rounded up), and less, down to 2, while all lines take more bytes than input and output together, or more than
 * CND_CONV2D_BYTES and n is above CND_CONV2D_ROWS_LONG; then as many as share these rows out evenly. */

#endif
