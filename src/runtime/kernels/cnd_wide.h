/* Vectors of a host or a Cortex-A, where the compiler states that the target has them (CND_WIDE is then defined):
 * AVX-512 VNNI, AVX2, or Advanced SIMD of AArch64, with dot products or without. -DCND_NO_SIMD turns them off.
 *
 * Each header defines, for kernels that are written once for all of them,
 *
 *   cnd_16           sixteen 32-bit integers, with the operations cnd_16_...
 *   cnd_value        an input value as products take it; cnd_values_put() and cnd_values_fill() make them
 *   cnd_weight       a weight as products take it
 *   CND_STEP         so many values one step of a product takes
 *   CND_PIXELS       so many pixels a tile of sums has, of 16 channels each
 *
 * and the products themselves. Integers wrap in none of them: the caller has proved that sums fit. */
#ifndef CND_WIDE_H
#define CND_WIDE_H

#include "cnd_avx.h"
#include "cnd_neon.h"

#endif
