/* Sums of values of 8 or 16 bits. Shifted inputs stay below 2^30, halves of them below 2^29. */
#include "cnd_add_a16.h"

#include "cnd_int16.h"

void cnd_add_a16(const cnd_add_a16_params* p, const void* a, const void* b, void* output) {
  const int32_t factor = (int32_t)1 << p->left_shift;
  for (int32_t i = 0; i < p->count; ++i) {
    const int32_t left = (cnd_value(a, p->a_bits, i) + p->a_offset) * factor;
    const int32_t right = (cnd_value(b, p->b_bits, i) + p->b_offset) * factor;
    const int32_t sum =
        cnd_requantize(left, p->a_multiplier, p->a_shift) + cnd_requantize(right, p->b_multiplier, p->b_shift);
    cnd_put(output, p->output_bits, i,
            cnd_requantize_within(sum, p->out_multiplier, p->out_shift, p->output_zero_point, p->act_min, p->act_max));
  }
}
