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

/* One line of terms. `gain` as in the header. Where at least 33 bits go at the end, the lower half of the product is
 * none of the rounding's business: what counts is the upper half, which two multiplications of 32 bits give. */
static void cnd_softmax_mul_line(const cnd_softmax_mul_params* p, const uint16_t* table, int32_t largest,
                                 const int8_t* a, const int8_t* v, int64_t gain, int8_t* out) {
  const int32_t step = p->term_step;
  const int32_t drop = 55 - p->shift;
  const uint32_t gain_low = (uint32_t)((uint64_t)gain & 0xffffffffu);
  const uint32_t gain_high = (uint32_t)((uint64_t)gain >> 32);
  const int32_t value_offset = p->value_offset;
  const int32_t zero_point = p->output_zero_point;
  for (int32_t k = 0; k < p->terms; ++k) {
    const int32_t weighted = (int32_t)table[largest - *a] * ((int32_t)*v + value_offset);
    int32_t scaled;
    if (drop > 32) {
      const uint32_t magnitude = (uint32_t)(weighted < 0 ? -weighted : weighted);
      const uint32_t high = magnitude * gain_high + (uint32_t)(((uint64_t)magnitude * gain_low) >> 32);
      const uint32_t rounded = (high + ((uint32_t)1 << (drop - 33))) >> (drop - 32);
      const int32_t bounded = rounded > 512u ? 512 : (int32_t)rounded;
      scaled = weighted < 0 ? -bounded : bounded;
    } else {
      scaled = cnd_softmax_mul_round((int64_t)weighted * gain, drop);
    }
    *out = (int8_t)cnd_clamp(scaled + zero_point, INT8_MIN, INT8_MAX);
    a += step;
    v += step;
    out += step;
  }
}

void cnd_softmax_mul(const cnd_softmax_mul_params* p, const uint16_t* table, const int8_t* attention,
                     const int8_t* value, int8_t* output) {
  const uint64_t numerator = (uint64_t)(uint32_t)p->multiplier << 24;
  const int32_t step = p->term_step;
  for (int32_t line = 0; line < p->lines; ++line) {
    const int8_t* a = attention + line * p->line_step;
    const int32_t largest = cnd_softmax_mul_max(a, p->terms, step);
    uint32_t sum = 0;
    for (int32_t k = 0; k < p->terms; ++k) {
      sum += table[largest - a[k * step]];
    }
    const int64_t gain = (int64_t)((numerator + sum / 2u) / sum);
    cnd_softmax_mul_line(p, table, largest, a, value + line * p->line_step, gain, output + line * p->line_step);
  }
}
