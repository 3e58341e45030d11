/* One input of a concatenation along channels, brought to the scale of the output as TFLite's QUANTIZE does: called
 * once per input. Both roundings of the profile meet a single value here, so that the error is up to 3/4 of an output
 * step where the output's scale is more than twice the input's. Tensors are [pixels, c]. */
#ifndef CND_CONCAT_H
#define CND_CONCAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels;
  int32_t channels;     /* of this input */
  int32_t first, out_c; /* its first channel in the output, and the channels of the whole output */
  int32_t copy;         /* 1: scale and zero point are those of the output; what follows would change nothing */
  int32_t input_offset; /* minus the zero point of this input */
  int32_t multiplier, shift;
  int32_t output_zero_point;
} cnd_concat_params;

/* Writes channels first .. first + channels - 1 of every pixel. The output must not overlap the input. */
void cnd_concat(const cnd_concat_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
