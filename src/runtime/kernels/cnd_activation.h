/* Any function of one int8 value, as a table of 256 results: table[0] is the result of -128, table[255] that of 127. */
#ifndef CND_ACTIVATION_H
#define CND_ACTIVATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t count; /* values */
} cnd_activation_params;

/* The output may be the input itself. */
void cnd_activation(const cnd_activation_params* p, const int8_t* table, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
