/* Mean over all pixels, per channel, int8. Input and output share scale and zero point. Input is [pixels, c]. */
#ifndef CND_GLOBAL_AVG_POOL_H
#define CND_GLOBAL_AVG_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* At most 2^24 - 1 pixels. The output must not overlap the input. */
void cnd_global_avg_pool(int32_t pixels, int32_t channels, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
