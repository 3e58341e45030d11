/* Table of results by magnitude; the header says where which entry lies. */
#include "cnd_activation_a16.h"

#include "cnd_int16.h"

static int32_t cnd_activation_a16_look_up(const int16_t* table, int32_t x) {
  const int16_t* entries = x < 0 ? table + CND_ACTIVATION_ENTRIES : table;
  const int32_t magnitude = x < 0 ? -x : x;
  int32_t octave = magnitude >= 32 * 2 * CND_ACTIVATION_STEPS ? 5 : 0;
  while ((magnitude >> octave) >= 2 * CND_ACTIVATION_STEPS) {
    ++octave;
  }
  const int32_t entry = octave * CND_ACTIVATION_STEPS + (magnitude >> octave);
  const int32_t beyond = magnitude - (magnitude >> octave) * ((int32_t)1 << octave);
  const int32_t low = (int32_t)entries[entry];
  if (beyond == 0) {
    return low;
  }
  return low + cnd_rounding_divide_by_pot(((int32_t)entries[entry + 1] - low) * beyond, octave);
}

/* round(x / CND_ACTIVATION_FRACTION), ties away from zero. */
static int32_t cnd_activation_a16_whole(int32_t x) {
  const int32_t half = CND_ACTIVATION_FRACTION / 2;
  return (x < 0 ? x - half : x + half) / CND_ACTIVATION_FRACTION;
}

void cnd_activation_a16(const cnd_activation_a16_params* p, const int16_t* table, const void* input, void* output) {
  for (int32_t i = 0; i < p->count; ++i) {
    const int32_t x = cnd_value(input, p->input_bits, i);
    if (p->input_bits == 8) {
      cnd_put(output, p->output_bits, i, (int32_t)table[x + 128]);
    } else {
      const int32_t y = cnd_activation_a16_look_up(table, x);
      cnd_put(output, p->output_bits, i, p->output_bits == 8 ? cnd_activation_a16_whole(y) : y);
    }
  }
}
