/* Products of values of 8 or 16 bits: at most 2^30. */
#include "cnd_mul_a16.h"

#include "cnd_int16.h"

void cnd_mul_a16(const cnd_mul_a16_params* p, const void* a, const void* b, void* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    for (int32_t c = 0; c < p->channels; ++c) {
      const int32_t left = cnd_value(a, p->a_bits, pixel * p->a_step + c) + p->a_offset;
      const int32_t right = cnd_value(b, p->b_bits, pixel * p->b_step + c) + p->b_offset;
      cnd_put(
          output, p->output_bits, pixel * p->channels + c,
          cnd_requantize_within(left * right, p->multiplier, p->shift, p->output_zero_point, p->act_min, p->act_max));
    }
  }
}
