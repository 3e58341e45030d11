/* Sixteen output channels of a convolution, with vectors (cnd_wide.h): what belongs to them, and from their sums to
 * values. */
#ifndef CND_PANEL_H
#define CND_PANEL_H

#include "cnd_scale.h"
#include "cnd_wide.h"

#ifdef CND_WIDE

/* What belongs to a panel's channels. */
typedef struct {
  int32_t start[16]; /* of sums */
  int32_t multiplier[16];
  int32_t shift[16];
  int32_t count; /* of channels */
} cnd_panel_channels;

/* `count` channels, the first one at bias, multiplier and shift. */
static void cnd_panel_prepare(const int32_t* bias, const int32_t* multiplier, const int8_t* shift, int32_t count,
                              cnd_panel_channels* c) {
  c->count = count;
  for (int32_t i = 0; i < 16; ++i) {
    c->start[i] = i < count ? bias[i] : 0;
    c->multiplier[i] = i < count ? multiplier[i] : 0;
    c->shift[i] = i < count ? shift[i] : -1;
  }
}

/* The first `count` of 16 bytes. */
CND_INLINE void cnd_store_some(int8_t* to, cnd_bytes_16 bytes, int32_t count) {
  if (count == 16) {
    cnd_store_16x8(to, bytes);
  } else {
    int8_t some[16];
    const int8_t* from = some;
    cnd_store_16x8(some, bytes);
    if (count >= 8) {
      (void)memcpy(to, from, 8);
      to += 8;
      from += 8;
      count -= 8;
    }
    if (count >= 4) {
      (void)memcpy(to, from, 4);
      to += 4;
      from += 4;
      count -= 4;
    }
    for (; count > 0; --count) {
      *to++ = *from++;
    }
  }
}

/* Sums of `pixels` pixels become values, `apart` from one pixel to the next. */
CND_INLINE void cnd_panel_scale(const int32_t* sums, const cnd_panel_channels* c, const cnd_scale_range* range,
                                int32_t pixels, int8_t* out, int32_t apart) {
  const int32_t count = c->count; /* and more that stays: stores of bytes may change anything that is not here */
  if (range->is_short != 0) {
    const int32_t zero_point = range->zero_point;
    const int32_t low = range->low;
    const int32_t high = range->high;
    const cnd_16 multiplier = cnd_16_load(c->multiplier);
    const cnd_16 shift = cnd_16_load(c->shift);
    for (int32_t i = 0; i < pixels; ++i) {
      const cnd_16 scaled = cnd_16_scale(cnd_16_load(sums), multiplier, shift, zero_point);
      cnd_store_some(out, cnd_16_narrow(scaled, low, high), count);
      sums += 16;
      out += apart;
    }
  } else {
    for (int32_t i = 0; i < pixels; ++i) {
      for (int32_t o = 0; o < count; ++o) {
        out[i * apart + o] = cnd_scale(sums[16 * i + o], c->multiplier[o], c->shift[o], range);
      }
    }
  }
}

#endif

#endif
