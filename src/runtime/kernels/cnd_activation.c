/* Table look-up of int8 values. */
#include "cnd_activation.h"

void cnd_activation(const cnd_activation_params* p, const int8_t* table, const int8_t* input, int8_t* output) {
  for (int32_t i = 0; i < p->count; ++i) {
    output[i] = table[(int32_t)input[i] + 128];
  }
}
