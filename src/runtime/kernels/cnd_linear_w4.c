/* Int8 fully connected layer with weights of 4 bits: two outputs at once, as their weights share bytes. */
#include "cnd_linear_w4.h"

#include "cnd_nibbles.h"
#include "cnd_scale.h"

/* The products of x with the weights of two outputs. */
static void cnd_linear_w4_sums(const int8_t* x, const int8_t* w, int32_t count, int32_t sum[2]) {
  int32_t low = 0;
  int32_t high = 0;
#if defined(CND_MVE)
  const int8x16_t mask = vdupq_n_s8(-16);
  for (; count > 0; count -= 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)count);
    const int8x16_t values = vldrbq_z_s8(x, lanes);
    const int8x16_t both = vldrbq_z_s8(w, lanes);
    low = vmladavaq_s8(low, values, vshlq_n_s8(both, 4));
    high = vmladavaq_s8(high, values, vandq_s8(both, mask));
    x += 16;
    w += 16;
  }
#elif defined(CND_DSP)
  for (; count >= 4; count -= 4) {
    const uint32_t four = cnd_load_4x8(x);
    const uint32_t x02 = cnd_sxtb16(four);
    const uint32_t x13 = cnd_sxtb16_ror8(four);
    const uint32_t both = cnd_load_4x8(w);
    const uint32_t a = (both << 4) & 0xf0f0f0f0u;
    const uint32_t b = both & 0xf0f0f0f0u;
    low = cnd_smlad(x13, cnd_sxtb16_ror8(a), cnd_smlad(x02, cnd_sxtb16(a), low));
    high = cnd_smlad(x13, cnd_sxtb16_ror8(b), cnd_smlad(x02, cnd_sxtb16(b), high));
    x += 4;
    w += 4;
  }
#endif
#ifndef CND_MVE
  for (int32_t i = 0; i < count; ++i) {
    low += (int32_t)x[i] * (int32_t)cnd_nibble_low(w[i]);
    high += (int32_t)x[i] * (int32_t)cnd_nibble_high(w[i]);
  }
#endif
  sum[0] = low;
  sum[1] = high;
}

void cnd_linear_w4(const cnd_linear_w4_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, const int8_t* input, int8_t* output) {
  const cnd_scale_range range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  const int8_t* w = weights;
  for (int32_t o = 0; o < p->out_c; o += 2) {
    int32_t sum[2];
    cnd_linear_w4_sums(input, w, p->in_c, sum);
    output[o] = cnd_scale_any(bias[o] + sum[0], multiplier[o], shift[o], &range);
    if (o + 1 < p->out_c) {
      output[o + 1] = cnd_scale_any(bias[o + 1] + sum[1], multiplier[o + 1], shift[o + 1], &range);
    }
    w += p->in_c;
  }
}
