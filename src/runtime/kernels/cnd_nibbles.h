/* Weights of 4 bits: the upper half of an int8, -112 to 112 in steps of 16. A byte holds those of two neighbouring
 * channels, the first one in its lower half; of an odd number the last one fills both. So unpacking is a shift and a
 * mask, and what comes out are the int8 weights that every kernel multiplies by. */
#ifndef CND_NIBBLES_H
#define CND_NIBBLES_H

#include "cnd_dsp.h"
#include "cnd_mve.h"

static inline int8_t cnd_nibble_low(int8_t both) { return (int8_t)(uint8_t)(((uint32_t)(uint8_t)both << 4) & 0xffu); }
static inline int8_t cnd_nibble_high(int8_t both) { return (int8_t)((int32_t)both & -16); }

/* `count` bytes become the weights of two channels. */
CND_APART void cnd_nibbles_unpack(const int8_t* from, int32_t count, int8_t* low, int8_t* high) {
#ifdef CND_MVE
  const int8x16_t mask = vdupq_n_s8(-16);
  for (; count > 0; count -= 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)count);
    const int8x16_t both = vldrbq_z_s8(from, lanes);
    vstrbq_p_s8(low, vshlq_n_s8(both, 4), lanes);
    vstrbq_p_s8(high, vandq_s8(both, mask), lanes);
    from += 16;
    low += 16;
    high += 16;
  }
#else
  for (int32_t i = 0; i < count; ++i) {
    low[i] = cnd_nibble_low(from[i]);
    high[i] = cnd_nibble_high(from[i]);
  }
#endif
}

#if defined(CND_DSP) && !defined(CND_MVE)

/* Four bytes, widened in the order of cnd_tile.h. */
CND_INLINE void cnd_nibbles_group(int16_t* to, uint32_t four) {
  const uint32_t low = (four << 4) & 0xf0f0f0f0u;
  const uint32_t high = four & 0xf0f0f0f0u;
  cnd_store_2x16(to, cnd_sxtb16(low));
  cnd_store_2x16(to + 2, cnd_sxtb16_ror8(low));
  cnd_store_2x16(to + 4, cnd_sxtb16(high));
  cnd_store_2x16(to + 6, cnd_sxtb16_ror8(high));
}

#endif

#endif
