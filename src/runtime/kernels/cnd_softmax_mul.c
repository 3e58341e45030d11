/* softmax(attention) times value, line by line; the header states the exact arithmetic. */
#include "cnd_softmax_mul.h"

#include "cnd_fixed_point.h"

static int32_t cnd_softmax_mul_max(const int8_t* x, int32_t n, int32_t step) {
  int32_t best = x[0];
  for (int32_t i = 1; i < n; ++i) {
    best = x[i * step] > best ? x[i * step] : best;
  }
  return best;
}

/* round(x / 2^n), ties away from zero, 1 <= n <= 62, saturated to [-512, 512]: more than any int8 difference. */
static int32_t cnd_softmax_mul_round(int64_t x, int32_t n) {
  const uint64_t magnitude = x < 0 ? (uint64_t)0 - (uint64_t)x : (uint64_t)x;
  const uint64_t rounded = (magnitude + ((uint64_t)1 << (n - 1))) >> n;
  const int32_t bounded = rounded > 512u ? 512 : (int32_t)rounded;
  return x < 0 ? -bounded : bounded;
}

void cnd_softmax_mul(const cnd_softmax_mul_params* p, const uint16_t* table, const int8_t* attention,
                     const int8_t* value, int8_t* output) {
  const uint64_t numerator = (uint64_t)(uint32_t)p->multiplier << 24;
  const int32_t step = p->term_step;
  for (int32_t line = 0; line < p->lines; ++line) {
    const int8_t* a = attention + line * p->line_step;
    const int8_t* v = value + line * p->line_step;
    int8_t* out = output + line * p->line_step;
    const int32_t largest = cnd_softmax_mul_max(a, p->terms, step);
    uint32_t sum = 0;
    for (int32_t k = 0; k < p->terms; ++k) {
      sum += table[largest - a[k * step]];
    }
    const int64_t gain = (int64_t)((numerator + sum / 2u) / sum);
    for (int32_t k = 0; k < p->terms; ++k) {
      const int32_t weighted = (int32_t)table[largest - a[k * step]] * ((int32_t)v[k * step] + p->value_offset);
      const int32_t scaled = cnd_softmax_mul_round((int64_t)weighted * gain, 55 - p->shift);
      out[k * step] = (int8_t)cnd_clamp(scaled + p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
