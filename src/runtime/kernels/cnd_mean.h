/* Integer mean of int8 values: round(sum / count), ties away from zero. */
#ifndef CND_MEAN_H
#define CND_MEAN_H

#include <stdint.h>

static inline int8_t cnd_mean_s8(int32_t sum, int32_t count) {
  return (int8_t)((sum >= 0 ? sum + count / 2 : sum - count / 2) / count);
}

#endif
