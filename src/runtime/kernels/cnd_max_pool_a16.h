/* Maximum pooling of values of 16 bits; padding never wins. */
#ifndef CND_MAX_POOL_A16_H
#define CND_MAX_POOL_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, channels;
  int32_t out_h, out_w;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left; /* less than the kernel: every window holds a pixel */
} cnd_max_pool_a16_params;

/* Nothing overlaps the output. */
void cnd_max_pool_a16(const cnd_max_pool_a16_params* p, const void* input, void* output);

#ifdef __cplusplus
}
#endif

#endif
