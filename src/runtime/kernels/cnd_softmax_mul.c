/* softmax(attention) times value, line by line; the header states the exact arithmetic. */
#include "cnd_softmax_mul.h"

#include "cnd_fixed_point.h"
#include "cnd_wide.h"

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

/* One line of terms. `gain` as in the header. A difference from the largest lies in 0..255: to say so with a type lets
 * tools prove that the table is long enough. Where at least 33 bits go at the end, the lower half of the product is
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
    const int32_t weighted = (int32_t)table[(uint8_t)(largest - *a)] * ((int32_t)*v + value_offset);
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

#ifdef CND_WIDE
enum { CND_SOFTMAX_MUL_TERMS = 2048 };

static int32_t cnd_softmax_mul_wide_max(const int8_t* x, int32_t n) {
  cnd_bytes_16 best = cnd_load_16x8(x);
  int8_t each[16];
  for (int32_t i = 16; i + 16 <= n; i += 16) {
    best = cnd_bytes_max(best, cnd_load_16x8(x + i));
  }
  cnd_store_16x8(each, cnd_bytes_max(best, cnd_load_16x8(x + n - 16)));
  return cnd_softmax_mul_max(each, 16, 1);
}

/* Lines of neighbouring terms, sixteen or more, and 33 bits or more to drop. */
static void cnd_softmax_mul_wide(const cnd_softmax_mul_params* p, const uint16_t* table, const int8_t* attention,
                                 const int8_t* value, int8_t* output) {
  const int32_t n = p->terms;
  const int32_t drop = 55 - p->shift;
  const uint64_t numerator = (uint64_t)(uint32_t)p->multiplier << 24;
  uint16_t terms[CND_SOFTMAX_MUL_TERMS + 16];
  const cnd_16 half = cnd_16_set((int32_t)1 << (drop - 33));
  const cnd_16 most = cnd_16_set(512);
  const cnd_16 offset = cnd_16_set(p->value_offset);
  const cnd_16 zero_point = cnd_16_set(p->output_zero_point);
  for (int32_t line = 0; line < p->lines; ++line) {
    const int8_t* a = attention + line * p->line_step;
    const int8_t* v = value + line * p->line_step;
    int8_t* out = output + line * p->line_step;
    const uint16_t* from = table + cnd_softmax_mul_wide_max(a, n);
    uint32_t sum = 0;
    for (int32_t k = 0; k < n; ++k) {
      terms[k] = *(from - a[k]);
      sum += terms[k];
    }
    const uint64_t gain = (numerator + sum / 2u) / sum;
    const cnd_16 gain_low = cnd_16_set((int32_t)(uint32_t)(gain & 0xffffffffu));
    const cnd_16 gain_high = cnd_16_set((int32_t)(uint32_t)(gain >> 32));
    for (int32_t k = 0; k < n; k += 16) {
      int8_t last[16]; /* of a part at the end */
      const int32_t left = n - k;
      const int8_t* x = v + k;
      if (left < 16) {
        (void)memcpy(last, x, (size_t)left);
        (void)memset(last + left, 0, (size_t)(16 - left));
        (void)memset(terms + n, 0, (size_t)(16 - left) * sizeof terms[0]);
        x = last;
      }
      const cnd_16 weighted = cnd_16_mul(cnd_16_widen_u16(terms + k), cnd_16_add(cnd_16_widen(x), offset));
      const cnd_16 magnitude = cnd_16_abs(weighted);
      const cnd_16 high = cnd_16_add(cnd_16_mul(magnitude, gain_high), cnd_16_high(magnitude, gain_low));
      const cnd_16 rounded = cnd_16_min(cnd_16_shift_right(cnd_16_add(high, half), drop - 32), most);
      const cnd_16 scaled = cnd_16_add(cnd_16_signed(rounded, weighted), zero_point);
      const cnd_bytes_16 bytes = cnd_16_narrow(scaled, INT8_MIN, INT8_MAX);
      if (left < 16) {
        cnd_store_16x8(last, bytes);
        (void)memcpy(out + k, last, (size_t)left);
      } else {
        cnd_store_16x8(out + k, bytes);
      }
    }
  }
}
#endif

void cnd_softmax_mul(const cnd_softmax_mul_params* p, const uint16_t* table, const int8_t* attention,
                     const int8_t* value, int8_t* output) {
  const uint64_t numerator = (uint64_t)(uint32_t)p->multiplier << 24;
  const int32_t step = p->term_step;
#ifdef CND_WIDE
  if (step == 1 && p->terms >= 16 && p->terms <= CND_SOFTMAX_MUL_TERMS && p->shift < 23) {
    cnd_softmax_mul_wide(p, table, attention, value, output);
    return;
  }
#endif
  for (int32_t line = 0; line < p->lines; ++line) {
    const int8_t* a = attention + line * p->line_step;
    const int32_t largest = cnd_softmax_mul_max(a, p->terms, step);
    uint32_t sum = 0;
    for (int32_t k = 0; k < p->terms; ++k) {
      sum += table[(uint8_t)(largest - a[k * step])];
    }
    sum = sum > 0u ? sum : 1u; /* never: the table begins above 0 */
    const int64_t gain = (int64_t)((numerator + sum / 2u) / sum);
    cnd_softmax_mul_line(p, table, largest, a, value + line * p->line_step, gain, output + line * p->line_step);
  }
}
