/* Channel shuffle: the transpose of [groups, channels / groups] at each pixel. */
#include "cnd_channel_shuffle.h"

void cnd_channel_shuffle(const cnd_channel_shuffle_params* p, const int8_t* input, int8_t* output) {
  const int32_t per_group = p->channels / p->groups;
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* in = input + pixel * p->channels;
    int8_t* out = output + pixel * p->channels;
    for (int32_t g = 0; g < p->groups; ++g) {
      for (int32_t k = 0; k < per_group; ++k) {
        out[k * p->groups + g] = in[g * per_group + k];
      }
    }
  }
}
