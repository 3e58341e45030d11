/* Product of two int8 tensors. |value + offset| <= 255, so products stay below 2^16. */
#include "cnd_mul.h"

#include "cnd_fixed_point.h"

void cnd_mul(const cnd_mul_params* p, const int8_t* a, const int8_t* b, int8_t* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* left = a + pixel * p->a_step;
    const int8_t* right = b + pixel * p->b_step;
    int8_t* out = output + pixel * p->channels;
    for (int32_t c = 0; c < p->channels; ++c) {
      const int32_t product = ((int32_t)left[c] + p->a_offset) * ((int32_t)right[c] + p->b_offset);
      out[c] = cnd_requantize_s8(product, p->multiplier, p->shift, p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
