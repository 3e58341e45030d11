/* Concatenation along channels, one input of 8 or 16 bits. */
#include "cnd_concat_a16.h"

#include "cnd_int16.h"

void cnd_concat_a16(const cnd_concat_a16_params* p, const void* input, void* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    for (int32_t c = 0; c < p->channels; ++c) {
      const int32_t x = cnd_value(input, p->input_bits, pixel * p->channels + c);
      const int32_t y = p->copy != 0 ? x
                                     : cnd_requantize_within(x + p->input_offset, p->multiplier, p->shift,
                                                             p->output_zero_point, p->act_min, p->act_max);
      cnd_put(output, p->output_bits, pixel * p->out_c + p->first + c, y);
    }
  }
}
