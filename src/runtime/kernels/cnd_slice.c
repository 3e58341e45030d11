/* A range of channels of every pixel. */
#include "cnd_slice.h"

void cnd_slice(const cnd_slice_params* p, const int8_t* input, int8_t* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* in = input + pixel * p->in_c + p->begin;
    int8_t* out = output + pixel * p->count;
    for (int32_t c = 0; c < p->count; ++c) {
      out[c] = in[c];
    }
  }
}
