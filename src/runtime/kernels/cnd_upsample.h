/* Nearest-neighbour up-sampling, int8: y[i] = x[floor(i * in / out)] along each axis. Input and output share scale and
 * zero point. Tensors are [h, w, c], one sample. */
#ifndef CND_UPSAMPLE_H
#define CND_UPSAMPLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t in_h, in_w, channels;
  int32_t out_h, out_w; /* at most 65536 */
} cnd_upsample_params;

/* The output must not overlap the input. */
void cnd_upsample(const cnd_upsample_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
