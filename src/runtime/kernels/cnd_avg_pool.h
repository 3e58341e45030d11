/* Average pooling, int8. Input and output share scale and zero point, so the mean is an integer mean,
 * rounded to nearest with ties away from zero (as TFLite's AVERAGE_POOL_2D). Tensors are [h, w, c], one sample. */
#ifndef CND_AVG_POOL_H
#define CND_AVG_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, channels;
  int32_t out_h, out_w;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t zero_point;    /* value of a padded pixel; used when count_padding is 1 */
  int32_t count_padding; /* 1: padded zeros count in sum and divisor; 0: the mean of the pixels inside the input */
} cnd_avg_pool_params;

/* Every window must meet the input in at least one pixel. The output must not overlap the input. */
void cnd_avg_pool(const cnd_avg_pool_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
