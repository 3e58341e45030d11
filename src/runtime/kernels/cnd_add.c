/* Sum of two int8 tensors. |value + offset| <= 255 < 2^8, so the shifted values stay below 2^28 and their sum, at half
 * scale or less, as well. */
#include "cnd_add.h"

#include "cnd_fixed_point.h"

void cnd_add(const cnd_add_params* p, const int8_t* a, const int8_t* b, int8_t* output) {
  const int32_t one = (int32_t)1 << CND_ADD_LEFT_SHIFT;
  for (int32_t i = 0; i < p->count; ++i) {
    const int32_t left = cnd_requantize(((int32_t)a[i] + p->a_offset) * one, p->a_multiplier, p->a_shift);
    const int32_t right = cnd_requantize(((int32_t)b[i] + p->b_offset) * one, p->b_multiplier, p->b_shift);
    output[i] =
        cnd_requantize_s8(left + right, p->out_multiplier, p->out_shift, p->output_zero_point, p->act_min, p->act_max);
  }
}
