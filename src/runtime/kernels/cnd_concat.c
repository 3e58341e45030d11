/* Concatenation along channels, one input. */
#include "cnd_concat.h"

#include "cnd_fixed_point.h"

void cnd_concat(const cnd_concat_params* p, const int8_t* input, int8_t* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* in = input + pixel * p->channels;
    int8_t* out = output + pixel * p->out_c + p->first;
    if (p->copy) {
      for (int32_t c = 0; c < p->channels; ++c) {
        out[c] = in[c];
      }
      continue;
    }
    for (int32_t c = 0; c < p->channels; ++c) {
      out[c] = cnd_requantize_s8((int32_t)in[c] + p->input_offset, p->multiplier, p->shift, p->output_zero_point,
                                 INT8_MIN, INT8_MAX);
    }
  }
}
