/* Int8 fully connected layer. */
#include "cnd_linear.h"

#include "cnd_dot.h"
#include "cnd_fixed_point.h"

void cnd_linear(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, const int8_t* input, int8_t* output) {
  for (int32_t o = 0; o < p->out_c; ++o) {
    const int32_t sum = bias[o] + cnd_dot(input, p->input_offset, weights + o * p->in_c, p->in_c);
    output[o] = cnd_requantize_s8(sum, multiplier[o], shift[o], p->output_zero_point, p->act_min, p->act_max);
  }
}
