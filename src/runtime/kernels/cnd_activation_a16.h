/* Function of one value, by a table, whose input or output has 16 bits a value.
 *
 * An input of 8 bits: 256 results. One of 16 bits: results of CND_ACTIVATION_ENTRIES magnitudes, then of as many
 * negative ones. Magnitudes below 2 * CND_ACTIVATION_STEPS have an entry each; above, every octave has
 * CND_ACTIVATION_STEPS of them, up to 32768, and what lies between two is interpolated. So steps are fine around zero,
 * where functions bend, however far the range reaches. Results of 8 bits then stand in units of
 * 1 / CND_ACTIVATION_FRACTION, and are rounded at the end, ties away from zero. */
#ifndef CND_ACTIVATION_A16_H
#define CND_ACTIVATION_A16_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CND_ACTIVATION_STEPS = 32, CND_ACTIVATION_ENTRIES = 353, CND_ACTIVATION_FRACTION = 64 };

typedef struct {
  int32_t count; /* values */
  int32_t input_bits, output_bits;
} cnd_activation_a16_params;

/* The output may be an input of its own size, or begin where a larger one begins. */
void cnd_activation_a16(const cnd_activation_a16_params* p, const int16_t* table, const void* input, void* output);

#ifdef __cplusplus
}
#endif

#endif
