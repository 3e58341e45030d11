/* Average pooling of values of 16 bits, the mean over the whole map too: round(sum / pixels), ties away from zero. */
#ifndef CND_AVG_POOL_A16_H
#define CND_AVG_POOL_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, channels;
  int32_t out_h, out_w;
  int32_t kernel_h, kernel_w; /* at most 65535 pixels, so that sums fit 32 bits */
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left; /* less than the kernel: every window holds a pixel */
  int32_t count_padding;     /* 1: padded zeros count in the divisor */
} cnd_avg_pool_a16_params;

/* Nothing overlaps the output. */
void cnd_avg_pool_a16(const cnd_avg_pool_a16_params* p, const void* input, void* output);

#ifdef __cplusplus
}
#endif

#endif
