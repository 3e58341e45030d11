/* Mean over all pixels, per channel, int8. Input and output share scale and zero point. Input is [pixels, c]. */
#ifndef CND_GLOBAL_AVG_POOL_H
#define CND_GLOBAL_AVG_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels; /* at most 2^24 - 1 */
  int32_t channels;
} cnd_global_avg_pool_params;

/* The output must not overlap the input. */
void cnd_global_avg_pool(const cnd_global_avg_pool_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
