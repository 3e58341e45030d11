/* Scaling of a sum, any multiplier and shift. */
#include "cnd_scale.h"

int8_t cnd_scale(int32_t sum, int32_t multiplier, int32_t shift, const cnd_scale_range* range) {
  return cnd_requantize_s8(sum, multiplier, shift, range->zero_point, range->low, range->high);
}
