/* softmax(attention) times value, line by line; the header states the exact arithmetic. */
#include "cnd_softmax_mul_a16.h"

#include "cnd_int16.h"

/* round(x / 2^n), ties away from zero, 1 <= n <= 62, saturated to [-2^17, 2^17]: more than any difference of outputs.
 */
static int32_t cnd_softmax_mul_a16_round(int64_t x, int32_t n) {
  const uint64_t magnitude = x < 0 ? (uint64_t)0 - (uint64_t)x : (uint64_t)x;
  const uint64_t rounded = (magnitude + ((uint64_t)1 << (n - 1))) >> n;
  const int32_t bounded = rounded > 131072u ? 131072 : (int32_t)rounded;
  return x < 0 ? -bounded : bounded;
}

void cnd_softmax_mul_a16(const cnd_softmax_mul_a16_params* p, const uint16_t* table, const int8_t* attention,
                         const void* value, void* output) {
  const uint64_t numerator = (uint64_t)(uint32_t)p->multiplier << 16;
  const int32_t step = p->term_step;
  for (int32_t line = 0; line < p->lines; ++line) {
    const int32_t first = line * p->line_step;
    const int8_t* a = attention + first;
    int32_t largest = (int32_t)a[0];
    for (int32_t k = 1; k < p->terms; ++k) {
      largest = (int32_t)a[k * step] > largest ? (int32_t)a[k * step] : largest;
    }
    uint32_t sum = 0;
    for (int32_t k = 0; k < p->terms; ++k) {
      sum += table[(uint8_t)(largest - (int32_t)a[k * step])];
    }
    sum = sum > 0u ? sum : 1u; /* never: the table begins above 0 */
    const int64_t gain = (int64_t)((numerator + sum / 2u) / sum);
    for (int32_t k = 0; k < p->terms; ++k) {
      const int32_t i = first + k * step;
      const int64_t term = (int64_t)table[(uint8_t)(largest - (int32_t)a[k * step])];
      const int64_t weighted = term * (int64_t)(cnd_value(value, p->value_bits, i) + p->value_offset);
      const int32_t scaled = cnd_softmax_mul_a16_round(weighted * gain, 47 - p->shift);
      cnd_put(output, p->output_bits, i, cnd_clamp(scaled + p->output_zero_point, p->act_min, p->act_max));
    }
  }
}
