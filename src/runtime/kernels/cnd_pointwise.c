/* Dense 1x1 int8 convolution. */
#include "cnd_pointwise.h"

#include "cnd_dot.h"
#include "cnd_fixed_point.h"

void cnd_pointwise(const cnd_pointwise_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, const int8_t* input, int8_t* output) {
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* x = input + pixel * p->in_c;
    int8_t* out = output + pixel * p->out_c;
    int32_t o = 0;
    for (; o + 4 <= p->out_c; o += 4) {
      int32_t sum[4];
      for (int32_t i = 0; i < 4; ++i) {
        sum[i] = bias[o + i];
      }
      cnd_dot4(x, p->input_offset, weights + o * p->in_c, p->in_c, p->in_c, sum);
      for (int32_t i = 0; i < 4; ++i) {
        out[o + i] =
            cnd_requantize_s8(sum[i], multiplier[o + i], shift[o + i], p->output_zero_point, p->act_min, p->act_max);
      }
    }
    for (; o < p->out_c; ++o) {
      const int32_t sum = bias[o] + cnd_dot(x, p->input_offset, weights + o * p->in_c, p->in_c);
      out[o] = cnd_requantize_s8(sum, multiplier[o], shift[o], p->output_zero_point, p->act_min, p->act_max);
    }
  }
}
