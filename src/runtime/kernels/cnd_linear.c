/* Int8 fully connected layer: four outputs at once, so that each input value is widened once for all of them. */
#include "cnd_linear.h"

#include "cnd_mve.h"
#include "cnd_scale.h"
#include "cnd_wide.h"

#ifdef CND_MVE

void cnd_linear(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, const int8_t* input, int8_t* output) {
  const cnd_mve_rows rows = {weights,
                             bias,
                             multiplier,
                             shift,
                             p->in_c,
                             p->out_c,
                             cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale),
                             {input, input, input, input},
                             1};
  cnd_mve_product(&rows, 0, p->out_c, output);
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

void cnd_linear(const cnd_linear_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, const int8_t* input, int8_t* output) {
  const cnd_scale_range range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  int32_t o = 0;
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
