/* Table look-up of int8 values. */
#include "cnd_activation.h"

void cnd_activation(const int8_t* table, int32_t count, const int8_t* input, int8_t* output) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = table[(int32_t)input[i] + 128];
  }
}
