/* Sum of two int8 tensors. |value + offset| <= 255 < 2^8, so the shifted values stay below 2^28 and their sum, at half
 * scale or less, as well: all products are short ones (cnd_scale.h). */
#include "cnd_add.h"

#include "cnd_mve.h"
#include "cnd_scale.h"
#include "cnd_wide.h"

#ifdef CND_WIDE
/* Sixteen values at once; a is exact. How many there were. */
CND_INLINE int32_t cnd_add_sixteens(const cnd_add_params* p, const int8_t* a, const int8_t* b, int32_t a_offset,
                                    int32_t b_offset, int32_t b_multiplier, int32_t b_shift, int32_t b_exact,
                                    int8_t* output) {
  const int32_t count = p->count; /* here, as stores of bytes may change anything elsewhere */
  const int32_t zero_point = p->output_zero_point;
  const int32_t low = p->act_min;
  const int32_t high = p->act_max;
  const cnd_16 multiplier = cnd_16_set(p->out_multiplier);
  const cnd_16 shift = cnd_16_set(p->out_shift);
  int32_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const cnd_16 left = cnd_16_add(cnd_16_widen(a + i), cnd_16_set(a_offset));
    cnd_16 right = cnd_16_add(cnd_16_widen(b + i), cnd_16_set(b_offset));
    if (b_exact != 0) {
      right = cnd_16_shift_left(right, CND_ADD_LEFT_SHIFT - 1);
    } else {
      right = cnd_16_shift_left(right, CND_ADD_LEFT_SHIFT);
      right = cnd_16_scale(right, cnd_16_set(b_multiplier), cnd_16_set(b_shift), 0);
    }
    const cnd_16 sum = cnd_16_add(cnd_16_shift_left(left, CND_ADD_LEFT_SHIFT - 1), right);
    cnd_store_16x8(output + i, cnd_16_narrow(cnd_16_scale(sum, multiplier, shift, zero_point), low, high));
  }
  return i;
}
#endif

/* Where one input has twice the larger scale's half, as one always has, its scaling is a shift without rounding: the
 * multiplier is 2^30 and the shift 0. `b_exact`: the other one as well. */
CND_INLINE void cnd_add_short(const cnd_add_params* p, const int8_t* a, const int8_t* b, int32_t a_offset,
                              int32_t b_offset, int32_t b_multiplier, int32_t b_shift, int32_t b_exact,
                              int8_t* output) {
  const int32_t half = (int32_t)1 << (CND_ADD_LEFT_SHIFT - 1);
  const int32_t multiplier = p->out_multiplier;
  const int32_t shift = p->out_shift;
  const cnd_scale_range range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, 1);
#ifdef CND_MVE
  const int32x4_t low = vdupq_n_s32(range.low);
  const int32x4_t high = vdupq_n_s32(range.high);
  for (int32_t left = p->count; left > 0; left -= 4) {
    const mve_pred16_t lanes = vctp32q((uint32_t)left);
    const int32x4_t x = vmulq_n_s32(vaddq_n_s32(vldrbq_z_s32(a, lanes), a_offset), half);
    int32x4_t y = vaddq_n_s32(vldrbq_z_s32(b, lanes), b_offset);
    y = b_exact != 0 ? vmulq_n_s32(y, half) : cnd_mve_scale_short_by(vmulq_n_s32(y, 2 * half), b_multiplier, b_shift);
    const int32x4_t sum = cnd_mve_scale_short_by(vaddq_s32(x, y), multiplier, shift);
    vstrbq_p_s32(output, cnd_mve_place(sum, range.zero_point, low, high), lanes);
    a += 4;
    b += 4;
    output += 4;
  }
#else
  const int32_t least = range.rectifies != 0 ? 0 : INT32_MIN; /* -1, half of a unit, is then rounded as 0 is */
  const int32_t clamps = range.clamps;
  const int8_t* const end = a + p->count;
#ifdef CND_WIDE
  const int32_t done = cnd_add_sixteens(p, a, b, a_offset, b_offset, b_multiplier, b_shift, b_exact, output);
  a += done;
  b += done;
  output += done;
#endif
  while (a != end) {
    const int32_t left = ((int32_t)*a++ + a_offset) * half;
    int32_t right = ((int32_t)*b++ + b_offset) * half;
    if (b_exact == 0) {
      right = cnd_shift_right(cnd_short_shift(cnd_short_high_mul(right * 2, b_multiplier), b_shift) + 1, 1);
    }
    int32_t value = cnd_short_shift(cnd_short_high_mul(left + right, multiplier), shift);
    value = cnd_half((value < least ? least : value) + range.offset);
    *output++ = (int8_t)(clamps != 0 ? cnd_clamp(value, range.low, range.high) : value);
  }
#endif
}

/* Any multipliers and shifts. */
static void cnd_add_long(const cnd_add_params* p, const int8_t* a, const int8_t* b, int8_t* output) {
  const int32_t one = (int32_t)1 << CND_ADD_LEFT_SHIFT;
  for (int32_t i = 0; i < p->count; ++i) {
    const int32_t left = cnd_requantize(((int32_t)a[i] + p->a_offset) * one, p->a_multiplier, p->a_shift);
    const int32_t right = cnd_requantize(((int32_t)b[i] + p->b_offset) * one, p->b_multiplier, p->b_shift);
    output[i] =
        cnd_requantize_s8(left + right, p->out_multiplier, p->out_shift, p->output_zero_point, p->act_min, p->act_max);
  }
}

void cnd_add(const cnd_add_params* p, const int8_t* a, const int8_t* b, int8_t* output) {
  const int32_t half = (int32_t)1 << 30;
  const int32_t a_exact = (p->a_multiplier == half && p->a_shift == 0) ? 1 : 0;
  const int32_t b_exact = (p->b_multiplier == half && p->b_shift == 0) ? 1 : 0;
  if (p->out_shift >= 0) {
    cnd_add_long(p, a, b, output);
  } else if (a_exact != 0 && b_exact != 0) {
    cnd_add_short(p, a, b, p->a_offset, p->b_offset, 0, 0, 1, output);
  } else if (a_exact != 0 && p->b_shift < 0) {
    cnd_add_short(p, a, b, p->a_offset, p->b_offset, p->b_multiplier, p->b_shift, 0, output);
  } else if (b_exact != 0 && p->a_shift < 0) {
    cnd_add_short(p, b, a, p->b_offset, p->a_offset, p->a_multiplier, p->a_shift, 0, output);
  } else {
    cnd_add_long(p, a, b, output);
  }
}
