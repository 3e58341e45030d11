/* Channel shuffle, int8: channel g * (channels / groups) + k goes to k * groups + g. Input and output share scale and
 * zero point. Tensors are [pixels, c]. */
#ifndef CND_CHANNEL_SHUFFLE_H
#define CND_CHANNEL_SHUFFLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels;
  int32_t channels, groups; /* channels is a multiple of groups */
} cnd_channel_shuffle_params;

/* The output must not overlap the input. */
void cnd_channel_shuffle(const cnd_channel_shuffle_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
