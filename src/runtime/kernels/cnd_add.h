/* Sum of two int8 tensors with different scales, in TFLite's fixed-point form: both inputs are shifted left by 20 bits,
 * brought to twice the larger scale, added, and brought to the output's scale. */
#ifndef CND_ADD_H
#define CND_ADD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CND_ADD_LEFT_SHIFT = 20 };

typedef struct {
  int32_t count;                     /* values */
  int32_t a_offset, b_offset;        /* minus the zero points of the inputs */
  int32_t a_multiplier, a_shift;     /* scale of a over twice the larger scale; shift <= 0 */
  int32_t b_multiplier, b_shift;     /* the same of b */
  int32_t out_multiplier, out_shift; /* twice the larger scale over (2^20 times the output's scale); shift <= 0 */
  int32_t output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within [-128, 127] */
} cnd_add_params;

/* The output may be either input itself. */
void cnd_add(const cnd_add_params* p, const int8_t* a, const int8_t* b, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
