/* Product of two int8 tensors. |value + offset| <= 255, so products stay below 2^16. */
#include "cnd_mul.h"

#include "cnd_fixed_point.h"
#include "cnd_wide.h"

#ifdef CND_WIDE
/* Sixteen channels at once, where scaling may be short (cnd_scale.h). How many there were. */
static int32_t cnd_mul_sixteens(const cnd_mul_params* p, const int8_t* a, const int8_t* b, int8_t* out) {
  const int32_t channels = p->shift < 0 ? p->channels : 0;
  const int32_t zero_point = p->output_zero_point;
  const cnd_16 a_offset = cnd_16_set(p->a_offset);
  const cnd_16 b_offset = cnd_16_set(p->b_offset);
  const cnd_16 multiplier = cnd_16_set(p->multiplier);
  const cnd_16 shift = cnd_16_set(p->shift);
  int32_t c = 0;
  for (; c + 16 <= channels; c += 16) {
    const cnd_16 left = cnd_16_add(cnd_16_widen(a + c), a_offset);
    const cnd_16 right = cnd_16_add(cnd_16_widen(b + c), b_offset);
    const cnd_16 scaled = cnd_16_scale(cnd_16_mul(left, right), multiplier, shift, zero_point);
    cnd_store_16x8(out + c, cnd_16_narrow(scaled, INT8_MIN, INT8_MAX));
  }
  return c;
}
#endif

void cnd_mul(const cnd_mul_params* p, const int8_t* a, const int8_t* b, int8_t* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* left = a + pixel * p->a_step;
    const int8_t* right = b + pixel * p->b_step;
    int8_t* out = output + pixel * p->channels;
    int32_t c = 0;
#ifdef CND_WIDE
    c = cnd_mul_sixteens(p, left, right, out);
#endif
    for (; c < p->channels; ++c) {
      const int32_t product = ((int32_t)left[c] + p->a_offset) * ((int32_t)right[c] + p->b_offset);
      out[c] = cnd_requantize_s8(product, p->multiplier, p->shift, p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
