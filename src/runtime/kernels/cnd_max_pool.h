/* Maximum pooling, int8. Padding never wins; input and output share scale and zero point. Tensors are [h, w, c], one
 * sample. */
#ifndef CND_MAX_POOL_H
#define CND_MAX_POOL_H

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
} cnd_max_pool_params;

/* Every window must meet the input in at least one pixel. The output must not overlap the input. */
void cnd_max_pool(const cnd_max_pool_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
