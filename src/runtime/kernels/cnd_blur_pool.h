/* Fixed binomial low-pass filter, then every stride-th pixel, int8. Borders are mirrored without repeating the edge.
 * The taps are those of the outer product of [1 2 1] or [1 4 6 4 1] with itself; their sum is 16 or 256. Input and
 * output share scale and zero point, so the weighted mean is an integer mean of the values as they are stored, zero
 * point included, rounded to nearest with ties away from zero, exactly as in average pooling. Tensors are [h, w, c],
 * one sample. */
#ifndef CND_BLUR_POOL_H
#define CND_BLUR_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, channels; /* in_h, in_w > taps / 2 */
  int32_t out_h, out_w;
  int32_t stride_h, stride_w;
  int32_t taps; /* 3 or 5 */
} cnd_blur_pool_params;

/* The output must not overlap the input. */
void cnd_blur_pool(const cnd_blur_pool_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
