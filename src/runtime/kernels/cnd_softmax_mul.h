/* softmax of an attention tensor, times a value tensor: over the channels of each pixel, or over the pixels of each
 * channel. Either is a number of lines of terms. Probabilities are never squeezed into int8: their mean is 1 / terms.
 * For each line:
 *
 *   t[d]   = round(65535 * exp(-attention_scale * d)), d = 0..255       (table, made when the network is built)
 *   S      = sum over k of t[max a - a_k]                               65535 <= S < 2^32
 *   G      = floor((multiplier * 2^24 + floor(S / 2)) / S)              one division per line
 *   out_k  = clamp(zero_point + round(t[max a - a_k] * (v_k - value zero point) * G / 2^(55 - shift)))
 *
 * with value_scale / output_scale (times the number of terms where the softmax is rescaled) = multiplier *
 * 2^(shift - 31), ties away from zero. As t <= S, the product stays below 2^63. The relative error of G is below
 * S / 2^55: invisible beside the rounding of the result for any number of terms. */
#ifndef CND_SOFTMAX_MUL_H
#define CND_SOFTMAX_MUL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t lines, line_step; /* over channels: pixels, channels; over pixels: channels, 1 */
  int32_t terms, term_step; /* over channels: channels, 1; over pixels: pixels, channels. At most 65536 terms */
  int32_t value_offset;     /* minus the zero point of the value tensor */
  int32_t multiplier;       /* 0 <= multiplier < 2^31 */
  int32_t shift;            /* -7 <= shift <= 30 */
  int32_t output_zero_point;
} cnd_softmax_mul_params;

/* table: 256 values. The output may be either input itself. */
void cnd_softmax_mul(const cnd_softmax_mul_params* p, const uint16_t* table, const int8_t* attention,
                     const int8_t* value, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
