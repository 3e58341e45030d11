/* Parametric ReLU, one slope per channel. |x * slope| <= 255 * 127 < 2^15. */
#include "cnd_prelu.h"

#include "cnd_fixed_point.h"

void cnd_prelu(const cnd_prelu_params* p, const int8_t* slope, const int8_t* input, int8_t* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* in = input + pixel * p->channels;
    int8_t* out = output + pixel * p->channels;
    for (int32_t c = 0; c < p->channels; ++c) {
      const int32_t x = (int32_t)in[c] + p->input_offset;
      out[c] = x >= 0 ? cnd_requantize_s8(x, p->positive_multiplier, p->positive_shift, p->output_zero_point, INT8_MIN,
                                          INT8_MAX)
                      : cnd_requantize_s8(x * (int32_t)slope[c], p->negative_multiplier, p->negative_shift,
                                          p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
