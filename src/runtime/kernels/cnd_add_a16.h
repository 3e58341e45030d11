/* Sum of two tensors, each of 8 or 16 bits a value, in the form of cnd_add.h: both inputs are shifted left, brought to
 * twice the larger scale, added, and brought to the scale of the output, which has 8 or 16 bits. */
#ifndef CND_ADD_A16_H
#define CND_ADD_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t count;      /* values */
  int32_t left_shift; /* 15 where an input has 16 bits, else 20 */
  int32_t a_bits, a_offset;
  int32_t b_bits, b_offset;          /* minus the zero points of the inputs */
  int32_t a_multiplier, a_shift;     /* scale of a over twice the larger scale; shift <= 0 */
  int32_t b_multiplier, b_shift;     /* the same of b */
  int32_t out_multiplier, out_shift; /* twice the larger scale over (2^left_shift times the scale of the output) */
  int32_t output_bits, output_zero_point;
  int32_t act_min, act_max; /* clamp of the output, within what its bits can say */
} cnd_add_a16_params;

/* The output may be an input of its own size, or begin where a larger one begins. */
void cnd_add_a16(const cnd_add_a16_params* p, const void* a, const void* b, void* output);

#ifdef __cplusplus
}
#endif

#endif
