/* Int8 fully connected layer: four outputs at once, so that each input value is widened once for all of them. */
#include "cnd_linear.h"

#include "cnd_mve.h"
#include "cnd_rows.h"
#include "cnd_scale.h"
#include "cnd_wide.h"

#ifdef CND_MVE

/* Outputs by fours, up to before `end`. */
CND_INLINE void cnd_linear_fours(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias,
                                 const int32_t* multiplier, const int8_t* shift, const int8_t* input, int32_t is_short,
                                 int32_t end, int8_t* output) {
  const int32_t depth = p->in_c;
  const int32_t zero_point = p->output_zero_point;
  const int32x4_t low = vdupq_n_s32(p->act_min);
  const int32x4_t high = vdupq_n_s32(p->act_max);
  for (int32_t o = 0; o < end; o += 4) {
    const int32x4_t sum = vaddq_s32(cnd_mve_dots(input, weights + o * depth, depth), vldrwq_s32(bias + o));
    const int32x4_t by = vldrwq_s32(multiplier + o);
    const int32x4_t left = vldrbq_s32(shift + o);
    const int32x4_t scaled = is_short != 0 ? cnd_mve_scale_short(sum, by, left) : cnd_mve_scale(sum, by, left);
    vstrbq_s32(output + o, cnd_mve_place(scaled, zero_point, low, high));
  }
}

void cnd_linear(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, const int8_t* input, int8_t* output) {
  const cnd_scale_range range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  int32_t o = p->out_c - p->out_c % 4;
  if (range.is_short != 0) {
    cnd_linear_fours(p, weights, bias, multiplier, shift, input, 1, o, output);
  } else {
    cnd_linear_fours(p, weights, bias, multiplier, shift, input, 0, o, output);
  }
  for (; o < p->out_c; ++o) { /* the last ones, fewer than four */
    const int8_t* w = weights + o * p->in_c;
    int32_t sum = bias[o];
    for (int32_t i = 0; i < p->in_c; i += 16) {
      const mve_pred16_t lanes = vctp8q((uint32_t)(p->in_c - i));
      sum = vmladavaq_s8(sum, vldrbq_z_s8(input + i, lanes), vldrbq_z_s8(w + i, lanes));
    }
    output[o] = cnd_scale_any(sum, multiplier[o], shift[o], &range);
  }
}

#else

/* Four rows of weights, `stride` apart, or 0: four times the same one. */
static void cnd_linear_rows(const cnd_linear_params* p, const int8_t* w0, int32_t stride, const int8_t* x,
                            int32_t sum[4]) {
#ifdef CND_WIDE
  sum[0] = sum[1] = sum[2] = sum[3] = 0;
  cnd_rows_sums_4(x, w0, stride, p->in_c, sum);
#else
  const int8_t* w1 = w0 + stride;
  const int8_t* w2 = w1 + stride;
  const int8_t* w3 = w2 + stride;
  int32_t left = p->in_c;
  int32_t s0 = 0;
  int32_t s1 = 0;
  int32_t s2 = 0;
  int32_t s3 = 0;
#ifdef CND_DSP
  for (; left >= 4; left -= 4) {
    const uint32_t four = cnd_load_4x8(x);
    const uint32_t x02 = cnd_sxtb16(four);
    const uint32_t x13 = cnd_sxtb16_ror8(four);
    s0 = cnd_smlad_4x8(x02, x13, &w0, s0);
    s1 = cnd_smlad_4x8(x02, x13, &w1, s1);
    s2 = cnd_smlad_4x8(x02, x13, &w2, s2);
    s3 = cnd_smlad_4x8(x02, x13, &w3, s3);
    x += 4;
  }
#endif
  for (int32_t i = 0; i < left; ++i) {
    const int32_t value = x[i];
    s0 += value * (int32_t)w0[i];
    s1 += value * (int32_t)w1[i];
    s2 += value * (int32_t)w2[i];
    s3 += value * (int32_t)w3[i];
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
#endif
}

#ifdef CND_ROWS

/* As many outputs, by fours, as the quick form may compute; how many. */
static int32_t cnd_linear_quick(const cnd_linear_params* p, const cnd_scale_range* range, const int8_t* weights,
                                const int32_t* bias, const int32_t* multiplier, const int8_t* shift,
                                const int8_t* input, int8_t* output) {
  int32_t count = p->in_c % 4 == 0 && cnd_scale_is_quick(range, -1) != 0 ? p->out_c - p->out_c % 4 : 0;
  int32_t least = 0;
  for (int32_t o = 0; o < count; ++o) {
    least = shift[o] < least ? shift[o] : least;
  }
  count = least < -16 ? 0 : count;
  if (count > 0) {
    cnd_rows rows = {input, p->in_c, weights, bias, multiplier, shift, output, output + count, range->offset, 0};
    cnd_rows_run(&rows);
  }
  return count;
}

#endif

void cnd_linear(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, const int8_t* input, int8_t* output) {
  const cnd_scale_range range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  int32_t o = 0;
#ifdef CND_ROWS
  o = cnd_linear_quick(p, &range, weights, bias, multiplier, shift, input, output);
#endif
  while (o < p->out_c) {
    const int32_t rows = p->out_c - o < 4 ? 1 : 4; /* the last ones, fewer than four, one by one */
    int32_t sum[4];
    cnd_linear_rows(p, weights + o * p->in_c, rows == 4 ? p->in_c : 0, input, sum);
    for (int32_t i = 0; i < rows; ++i) {
      output[o] = cnd_scale_any(bias[o] + sum[i], multiplier[o], shift[o], &range);
      ++o;
    }
  }
}

#endif
