/* softmax of an attention tensor of 8 bits, times a value tensor of 8 or 16, to an output of 8 or 16: cnd_softmax_mul.h
 * with eight bits less in the gain, as a value has up to eight more. For each line:
 *
 *   t[d]   = round(65535 * exp(-attention_scale * d)), d = 0..255       (table, made when the network is built)
 *   S      = sum over k of t[max a - a_k]                               65535 <= S < 2^32
 *   G      = floor((multiplier * 2^16 + floor(S / 2)) / S)              one division per line
 *   out_k  = clamp(zero_point + round(t[max a - a_k] * (v_k - value zero point) * G / 2^(47 - shift)))
 *
 * with value_scale / output_scale (times the number of terms where the softmax is rescaled) = multiplier *
 * 2^(shift - 31), ties away from zero. As t <= S, the product stays below 2^63. */
#ifndef CND_SOFTMAX_MUL_A16_H
#define CND_SOFTMAX_MUL_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t lines, line_step;         /* over channels: pixels, channels; over pixels: channels, 1 */
  int32_t terms, term_step;         /* over channels: channels, 1; over pixels: pixels, channels. At most 65536 terms */
  int32_t value_bits, value_offset; /* minus the zero point of the value tensor */
  int32_t multiplier;               /* 0 <= multiplier < 2^31 */
  int32_t shift;                    /* -7 <= shift <= 30 */
  int32_t output_bits, output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within what its bits can say */
} cnd_softmax_mul_a16_params;

/* table: 256 values. Over channels, the output may be an input of its own size, or begin where a larger one begins. */
void cnd_softmax_mul_a16(const cnd_softmax_mul_a16_params* p, const uint16_t* table, const int8_t* attention,
                         const void* value, void* output);

#ifdef __cplusplus
}
#endif

#endif
