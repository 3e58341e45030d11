/* Table look-up of int8 values. */
#include "cnd_activation.h"

#include "cnd_wide.h"

void cnd_activation(const cnd_activation_params* p, const int8_t* table, const int8_t* input, int8_t* output) {
  int32_t i = 0;
#ifdef CND_TABLE
  for (; i + CND_TABLE <= p->count; i += CND_TABLE) {
    cnd_table_look(table, input + i, output + i);
  }
#endif
  for (; i < p->count; ++i) {
    output[i] = table[(int32_t)input[i] + 128];
  }
}
