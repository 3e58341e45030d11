/* Mean over all pixels. Works on blocks of channels whose sums live on the stack. */
#include "cnd_global_avg_pool.h"

#include "cnd_mean.h"

enum { CND_GLOBAL_AVG_POOL_BLOCK = 32 };

void cnd_global_avg_pool(const cnd_global_avg_pool_params* p, const int8_t* input, int8_t* output) {
  for (int32_t first = 0; first < p->channels; first += CND_GLOBAL_AVG_POOL_BLOCK) {
    const int32_t left = p->channels - first;
    const int32_t count = left < CND_GLOBAL_AVG_POOL_BLOCK ? left : CND_GLOBAL_AVG_POOL_BLOCK;
    int32_t sum[CND_GLOBAL_AVG_POOL_BLOCK] = {0};
    for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
      const int8_t* in = input + pixel * p->channels + first;
      for (int32_t i = 0; i < count; ++i) {
        sum[i] += (int32_t)in[i];
      }
    }
    for (int32_t i = 0; i < count; ++i) {
      output[first + i] = cnd_mean_s8(sum[i], p->pixels);
    }
  }
}
