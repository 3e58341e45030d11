/* Nearest-neighbour up-sampling, pixel by pixel. */
#include "cnd_upsample.h"

/* floor(i * in / out); i < out <= 65536 and in <= out, so the product stays below 2^32. */
static int32_t cnd_upsample_source(int32_t i, int32_t in, int32_t out) {
  return (int32_t)((uint32_t)i * (uint32_t)in / (uint32_t)out);
}

void cnd_upsample(const cnd_upsample_params* p, const int8_t* input, int8_t* output) {
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int8_t* row = input + cnd_upsample_source(oy, p->in_h, p->out_h) * p->in_w * p->channels;
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      const int8_t* in = row + cnd_upsample_source(ox, p->in_w, p->out_w) * p->channels;
      int8_t* out = output + (oy * p->out_w + ox) * p->channels;
      for (int32_t c = 0; c < p->channels; ++c) {
        out[c] = in[c];
      }
    }
  }
}
