/* softmax(attention) times value, per pixel; the header states the exact arithmetic. */
#include "cnd_softmax_mul.h"

#include "cnd_fixed_point.h"

static int32_t cnd_softmax_mul_max(const int8_t* x, int32_t n) {
  int32_t best = x[0];
  for (int32_t i = 1; i < n; ++i) {
    best = x[i] > best ? x[i] : best;
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
  for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
    const int8_t* a = attention + pixel * p->channels;
    const int8_t* v = value + pixel * p->channels;
    int8_t* out = output + pixel * p->channels;
    const int32_t largest = cnd_softmax_mul_max(a, p->channels);
    uint32_t sum = 0;
    for (int32_t c = 0; c < p->channels; ++c) {
      sum += table[largest - a[c]];
    }
    const int64_t gain = (int64_t)((numerator + sum / 2u) / sum);
    for (int32_t c = 0; c < p->channels; ++c) {
      const int32_t weighted = (int32_t)table[largest - a[c]] * ((int32_t)v[c] + p->value_offset);
      const int32_t scaled = cnd_softmax_mul_round((int64_t)weighted * gain, 55 - p->shift);
      out[c] = (int8_t)cnd_clamp(scaled + p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
