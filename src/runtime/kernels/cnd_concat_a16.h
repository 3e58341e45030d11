/* Concatenation along channels, one input, where it or the output has 16 bits a value. */
#ifndef CND_CONCAT_A16_H
#define CND_CONCAT_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels;
  int32_t channels;                 /* of the input */
  int32_t first, out_c;             /* its first channel in the output, and how many the output has */
  int32_t input_bits, input_offset; /* minus the zero point */
  int32_t copy;                     /* 1: bits, scale and zero point are those of the output */
  int32_t multiplier, shift;        /* input_scale / output_scale = multiplier * 2^(shift - 31) */
  int32_t output_bits, output_zero_point;
  int32_t act_min, act_max; /* what the bits of the output can say */
} cnd_concat_a16_params;

/* Nothing overlaps the output. */
void cnd_concat_a16(const cnd_concat_a16_params* p, const void* input, void* output);

#ifdef __cplusplus
}
#endif

#endif
