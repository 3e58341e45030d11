/* AVX2 and AVX-512 VNNI; see cnd_wide.h. */
#ifndef CND_AVX_H
#define CND_AVX_H

#if defined(__AVX2__) && defined(__GNUC__) && !defined(CND_NO_SIMD)
#define CND_WIDE 1

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "cnd_dsp.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define CND_AVX512 1
#endif

typedef __m128i cnd_bytes_16;

CND_INLINE cnd_bytes_16 cnd_load_16x8(const int8_t* from) { return _mm_loadu_si128((const __m128i*)(const void*)from); }

CND_INLINE void cnd_store_16x8(int8_t* to, cnd_bytes_16 x) { _mm_storeu_si128((__m128i*)(void*)to, x); }

CND_INLINE int32_t cnd_load_word(const void* from) {
  int32_t word;
  (void)memcpy(&word, from, sizeof word);
  return word;
}

CND_INLINE cnd_bytes_16 cnd_bytes_max(cnd_bytes_16 a, cnd_bytes_16 b) { return _mm_max_epi8(a, b); }

/* Four rows of four words become columns, 16 words apart. */
CND_INLINE void cnd_columns_4(__m128i a, __m128i b, __m128i c, __m128i d, void* to) {
  const __m128i ab = _mm_unpacklo_epi32(a, b);
  const __m128i cd = _mm_unpacklo_epi32(c, d);
  const __m128i ab_high = _mm_unpackhi_epi32(a, b);
  const __m128i cd_high = _mm_unpackhi_epi32(c, d);
  __m128i* column = (__m128i*)to;
  _mm_storeu_si128(column, _mm_unpacklo_epi64(ab, cd));
  _mm_storeu_si128(column + 4, _mm_unpackhi_epi64(ab, cd));
  _mm_storeu_si128(column + 8, _mm_unpacklo_epi64(ab_high, cd_high));
  _mm_storeu_si128(column + 12, _mm_unpackhi_epi64(ab_high, cd_high));
}

#ifdef CND_AVX512

typedef struct {
  __m512i v;
} cnd_16;

CND_INLINE cnd_16 cnd_16_of(__m512i v) {
  const cnd_16 x = {v};
  return x;
}

CND_INLINE cnd_16 cnd_16_set(int32_t x) { return cnd_16_of(_mm512_set1_epi32(x)); }
CND_INLINE cnd_16 cnd_16_load(const int32_t* from) { return cnd_16_of(_mm512_loadu_si512(from)); }
CND_INLINE void cnd_16_store(int32_t* to, cnd_16 x) { _mm512_storeu_si512(to, x.v); }
CND_INLINE cnd_16 cnd_16_widen(const int8_t* from) { return cnd_16_of(_mm512_cvtepi8_epi32(cnd_load_16x8(from))); }
CND_INLINE cnd_16 cnd_16_add(cnd_16 a, cnd_16 b) { return cnd_16_of(_mm512_add_epi32(a.v, b.v)); }
CND_INLINE cnd_16 cnd_16_mul(cnd_16 a, cnd_16 b) { return cnd_16_of(_mm512_mullo_epi32(a.v, b.v)); }
CND_INLINE cnd_16 cnd_16_shift_left(cnd_16 a, int32_t n) {
  return cnd_16_of(_mm512_sll_epi32(a.v, _mm_cvtsi32_si128(n)));
}
CND_INLINE cnd_16 cnd_16_min(cnd_16 a, cnd_16 b) { return cnd_16_of(_mm512_min_epi32(a.v, b.v)); }
CND_INLINE cnd_16 cnd_16_abs(cnd_16 a) { return cnd_16_of(_mm512_abs_epi32(a.v)); }

/* Without a sign. */
CND_INLINE cnd_16 cnd_16_shift_right(cnd_16 a, int32_t n) {
  return cnd_16_of(_mm512_srl_epi32(a.v, _mm_cvtsi32_si128(n)));
}

/* -a where the sign of s is minus. */
CND_INLINE cnd_16 cnd_16_signed(cnd_16 a, cnd_16 s) {
  return cnd_16_of(
      _mm512_mask_sub_epi32(a.v, _mm512_cmplt_epi32_mask(s.v, _mm512_setzero_si512()), _mm512_setzero_si512(), a.v));
}

/* The upper half of a product without signs. */
CND_INLINE cnd_16 cnd_16_high(cnd_16 a, cnd_16 b) {
  const __m512i even = _mm512_mul_epu32(a.v, b.v);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
  return cnd_16_of(_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd));
}

CND_INLINE cnd_16 cnd_16_widen_u16(const uint16_t* from) {
  return cnd_16_of(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)(const void*)from)));
}

/* cnd_scale_short() before it saturates: both roundings of the profile; shift < 0, |x| < 2^30. */
CND_INLINE cnd_16 cnd_16_scale(cnd_16 x, cnd_16 multiplier, cnd_16 shift, int32_t zero_point) {
  const __m512i half = _mm512_set1_epi64((int64_t)1 << 30);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x.v, multiplier.v), half);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x.v, 32), _mm512_srli_epi64(multiplier.v, 32)), half);
  __m512i high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i minus_one = _mm512_set1_epi32(-1);
  high = _mm512_add_epi32(high, _mm512_srai_epi32(high, 31));
  high = _mm512_srav_epi32(high, _mm512_sub_epi32(minus_one, shift.v));
  return cnd_16_of(_mm512_srai_epi32(_mm512_add_epi32(high, _mm512_set1_epi32(2 * zero_point + 1)), 1));
}

/* Saturated to int8 and then kept within low..high. */
CND_INLINE cnd_bytes_16 cnd_16_narrow(cnd_16 x, int32_t low, int32_t high) {
  const __m128i bytes = _mm512_cvtsepi32_epi8(x.v);
  return _mm_min_epi8(_mm_max_epi8(bytes, _mm_set1_epi8((char)low)), _mm_set1_epi8((char)high));
}

/* Input values without a sign, plus 128; the start of a sum takes that back. */
typedef uint8_t cnd_value;
typedef int8_t cnd_weight;
#define CND_STEP 4
#define CND_PIXELS 8
#define CND_VALUE_OFFSET 128

CND_INLINE void cnd_values_put(cnd_value* to, const int8_t* x, int32_t count) {
  const __m512i flip = _mm512_set1_epi8((char)-128);
  for (; count >= 64; count -= 64) {
    _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(x), flip));
    to += 64;
    x += 64;
  }
  if (count > 0) {
    const __mmask64 mask = ~(__mmask64)0 >> (64 - count);
    _mm512_mask_storeu_epi8(to, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x), flip));
  }
}

CND_INLINE void cnd_values_fill(cnd_value* to, int32_t x, int32_t count) { (void)memset(to, x + 128, (size_t)count); }

/* Four rows of 16 weights, `stride` apart. */
CND_INLINE void cnd_weights_4(const int8_t* w, int32_t stride, cnd_weight* to) {
  cnd_columns_4(cnd_load_16x8(w), cnd_load_16x8(w + stride), cnd_load_16x8(w + 2 * stride),
                cnd_load_16x8(w + 3 * stride), to);
}

/* What the offset of the values adds to sums of 16 channels is taken from where they start. */
CND_INLINE void cnd_weights_offset(const cnd_weight* w, int32_t steps, int32_t* start) {
  const __m512i offset = _mm512_set1_epi8((char)-128);
  __m512i sum = _mm512_setzero_si512();
  for (int32_t i = 0; i < steps; ++i) {
    sum = _mm512_dpbusd_epi32(sum, offset, _mm512_loadu_si512(w + 64 * i));
  }
  _mm512_storeu_si512(start, _mm512_sub_epi32(_mm512_loadu_si512(start), sum));
}

CND_INLINE __m512i cnd_tile_add(__m512i sum, const cnd_value* x, __m512i w) {
  return _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(cnd_load_word(x)), w);
}

/* Sums of 16 channels of CND_PIXELS pixels, `apart` values from one to the next. Windows are `lines` runs of `steps`
 * steps: line number `line` of `lines` that lie `row` values apart comes first. */
CND_INLINE void cnd_tile_sums_16(const cnd_value* ring, int32_t line, int32_t lines, int32_t row, int32_t apart,
                                 const cnd_weight* w, int32_t steps, const int32_t* start, int32_t* sums) {
  __m512i s0 = _mm512_loadu_si512(start);
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  __m512i s4 = s0;
  __m512i s5 = s0;
  __m512i s6 = s0;
  __m512i s7 = s0;
  const size_t one = (size_t)apart;
  for (int32_t k = 0; k < lines; ++k) {
    const cnd_value* x = ring + line * row;
    const cnd_value* y = x + 3 * one;
    const cnd_value* z = x + 6 * one;
    const cnd_value* const end = x + 4 * steps;
    line = line + 1 < lines ? line + 1 : 0;
    for (; x != end; x += 4) {
      const __m512i weights = _mm512_loadu_si512(w);
      s0 = cnd_tile_add(s0, x, weights);
      s1 = cnd_tile_add(s1, x + one, weights);
      s2 = cnd_tile_add(s2, x + 2 * one, weights);
      s3 = cnd_tile_add(s3, y, weights);
      s4 = cnd_tile_add(s4, y + one, weights);
      s5 = cnd_tile_add(s5, y + 2 * one, weights);
      s6 = cnd_tile_add(s6, z, weights);
      s7 = cnd_tile_add(s7, z + one, weights);
      w += 64;
      y += 4;
      z += 4;
    }
  }
  _mm512_storeu_si512(sums, s0);
  _mm512_storeu_si512(sums + 16, s1);
  _mm512_storeu_si512(sums + 32, s2);
  _mm512_storeu_si512(sums + 48, s3);
  _mm512_storeu_si512(sums + 64, s4);
  _mm512_storeu_si512(sums + 80, s5);
  _mm512_storeu_si512(sums + 96, s6);
  _mm512_storeu_si512(sums + 112, s7);
}

/* Products of one run of values with four rows of weights, `stride` apart. */
CND_INLINE void cnd_rows_sums_4(const int8_t* x, const int8_t* w, int32_t stride, int32_t count, int32_t sum[4]) {
  const __m512i flip = _mm512_set1_epi8((char)-128);
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  __m512i c0 = s0; /* what the 128 adds */
  __m512i c1 = s0;
  __m512i c2 = s0;
  __m512i c3 = s0;
  for (; count > 0; count -= 64) {
    const __mmask64 mask = count >= 64 ? ~(__mmask64)0 : ~(__mmask64)0 >> (64 - count);
    const __m512i values = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x), flip);
    const __m512i w0 = _mm512_maskz_loadu_epi8(mask, w);
    const __m512i w1 = _mm512_maskz_loadu_epi8(mask, w + stride);
    const __m512i w2 = _mm512_maskz_loadu_epi8(mask, w + 2 * stride);
    const __m512i w3 = _mm512_maskz_loadu_epi8(mask, w + 3 * stride);
    s0 = _mm512_dpbusd_epi32(s0, values, w0);
    s1 = _mm512_dpbusd_epi32(s1, values, w1);
    s2 = _mm512_dpbusd_epi32(s2, values, w2);
    s3 = _mm512_dpbusd_epi32(s3, values, w3);
    c0 = _mm512_dpbusd_epi32(c0, flip, w0);
    c1 = _mm512_dpbusd_epi32(c1, flip, w1);
    c2 = _mm512_dpbusd_epi32(c2, flip, w2);
    c3 = _mm512_dpbusd_epi32(c3, flip, w3);
    x += 64;
    w += 64;
  }
  sum[0] += _mm512_reduce_add_epi32(_mm512_sub_epi32(s0, c0));
  sum[1] += _mm512_reduce_add_epi32(_mm512_sub_epi32(s1, c1));
  sum[2] += _mm512_reduce_add_epi32(_mm512_sub_epi32(s2, c2));
  sum[3] += _mm512_reduce_add_epi32(_mm512_sub_epi32(s3, c3));
}

/* Two taps of 16 channels: weights stand in pairs. */
typedef int16_t cnd_tap;

CND_INLINE cnd_16 cnd_taps_add(cnd_16 sum, const int8_t* x, const int8_t* y, const cnd_tap* w) {
  const __m512i low = _mm512_cvtepi8_epi32(cnd_load_16x8(x));
  const __m512i high = _mm512_slli_epi32(_mm512_cvtepi8_epi32(cnd_load_16x8(y)), 16);
  const __m512i pairs = _mm512_mask_blend_epi16(0xaaaaaaaau, low, high);
  return cnd_16_of(_mm512_dpwssd_epi32(sum.v, pairs, _mm512_loadu_si512(w)));
}

#else

typedef struct {
  __m256i low, high;
} cnd_16;

CND_INLINE cnd_16 cnd_16_of(__m256i low, __m256i high) {
  const cnd_16 x = {low, high};
  return x;
}

CND_INLINE __m256i cnd_load_256(const void* from) { return _mm256_loadu_si256((const __m256i*)from); }
CND_INLINE void cnd_store_256(void* to, __m256i x) { _mm256_storeu_si256((__m256i*)to, x); }

CND_INLINE cnd_16 cnd_16_set(int32_t x) { return cnd_16_of(_mm256_set1_epi32(x), _mm256_set1_epi32(x)); }
CND_INLINE cnd_16 cnd_16_load(const int32_t* from) { return cnd_16_of(cnd_load_256(from), cnd_load_256(from + 8)); }
CND_INLINE void cnd_16_store(int32_t* to, cnd_16 x) {
  cnd_store_256(to, x.low);
  cnd_store_256(to + 8, x.high);
}
CND_INLINE cnd_16 cnd_16_widen(const int8_t* from) {
  const __m128i x = cnd_load_16x8(from);
  return cnd_16_of(_mm256_cvtepi8_epi32(x), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(x, x)));
}
CND_INLINE cnd_16 cnd_16_add(cnd_16 a, cnd_16 b) {
  return cnd_16_of(_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high));
}
CND_INLINE cnd_16 cnd_16_mul(cnd_16 a, cnd_16 b) {
  return cnd_16_of(_mm256_mullo_epi32(a.low, b.low), _mm256_mullo_epi32(a.high, b.high));
}
CND_INLINE cnd_16 cnd_16_shift_left(cnd_16 a, int32_t n) {
  const __m128i count = _mm_cvtsi32_si128(n);
  return cnd_16_of(_mm256_sll_epi32(a.low, count), _mm256_sll_epi32(a.high, count));
}
CND_INLINE cnd_16 cnd_16_min(cnd_16 a, cnd_16 b) {
  return cnd_16_of(_mm256_min_epi32(a.low, b.low), _mm256_min_epi32(a.high, b.high));
}
CND_INLINE cnd_16 cnd_16_abs(cnd_16 a) { return cnd_16_of(_mm256_abs_epi32(a.low), _mm256_abs_epi32(a.high)); }

/* Without a sign. */
CND_INLINE cnd_16 cnd_16_shift_right(cnd_16 a, int32_t n) {
  const __m128i count = _mm_cvtsi32_si128(n);
  return cnd_16_of(_mm256_srl_epi32(a.low, count), _mm256_srl_epi32(a.high, count));
}

/* -a where the sign of s is minus. */
CND_INLINE __m256i cnd_8_signed(__m256i a, __m256i s) {
  const __m256i mask = _mm256_srai_epi32(s, 31);
  return _mm256_sub_epi32(_mm256_xor_si256(a, mask), mask);
}
CND_INLINE cnd_16 cnd_16_signed(cnd_16 a, cnd_16 s) {
  return cnd_16_of(cnd_8_signed(a.low, s.low), cnd_8_signed(a.high, s.high));
}

CND_INLINE __m256i cnd_8_high(__m256i a, __m256i b) {
  const __m256i even = _mm256_mul_epu32(a, b);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

/* The upper half of a product without signs. */
CND_INLINE cnd_16 cnd_16_high(cnd_16 a, cnd_16 b) {
  return cnd_16_of(cnd_8_high(a.low, b.low), cnd_8_high(a.high, b.high));
}

CND_INLINE cnd_16 cnd_16_widen_u16(const uint16_t* from) {
  const __m256i x = cnd_load_256(from);
  return cnd_16_of(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(x)),
                   _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1)));
}

CND_INLINE __m256i cnd_8_scale(__m256i x, __m256i multiplier, __m256i shift, int32_t zero_point) {
  const __m256i half = _mm256_set1_epi64x((int64_t)1 << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), half);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multiplier, 32)), half);
  __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
  high = _mm256_add_epi32(high, _mm256_srai_epi32(high, 31));
  high = _mm256_srav_epi32(high, _mm256_sub_epi32(_mm256_set1_epi32(-1), shift));
  return _mm256_srai_epi32(_mm256_add_epi32(high, _mm256_set1_epi32(2 * zero_point + 1)), 1);
}

/* cnd_scale_short() before it saturates: both roundings of the profile; shift < 0, |x| < 2^30. */
CND_INLINE cnd_16 cnd_16_scale(cnd_16 x, cnd_16 multiplier, cnd_16 shift, int32_t zero_point) {
  return cnd_16_of(cnd_8_scale(x.low, multiplier.low, shift.low, zero_point),
                   cnd_8_scale(x.high, multiplier.high, shift.high, zero_point));
}

/* Saturated to int8 and then kept within low..high. */
CND_INLINE cnd_bytes_16 cnd_16_narrow(cnd_16 x, int32_t low, int32_t high) {
  const __m256i halves = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.low, x.high), 0xd8);
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
  return _mm_min_epi8(_mm_max_epi8(bytes, _mm_set1_epi8((char)low)), _mm_set1_epi8((char)high));
}

/* Values and weights of 16 bits. */
typedef int16_t cnd_value;
typedef int16_t cnd_weight;
#define CND_STEP 2
#define CND_PIXELS 4

CND_INLINE void cnd_values_put(cnd_value* to, const int8_t* x, int32_t count) {
  for (; count >= 16; count -= 16) {
    cnd_store_256(to, _mm256_cvtepi8_epi16(cnd_load_16x8(x)));
    to += 16;
    x += 16;
  }
  for (; count > 0; --count) {
    *to++ = (cnd_value)*x++;
  }
}

CND_INLINE void cnd_values_fill(cnd_value* to, int32_t x, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    to[i] = (cnd_value)x;
  }
}

CND_INLINE __m128i cnd_load_8_wide(const int8_t* from) {
  return _mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i*)(const void*)from));
}

/* Four rows of 8 weights, `stride` apart. */
CND_INLINE void cnd_weights_4(const int8_t* w, int32_t stride, cnd_weight* to) {
  cnd_columns_4(cnd_load_8_wide(w), cnd_load_8_wide(w + stride), cnd_load_8_wide(w + 2 * stride),
                cnd_load_8_wide(w + 3 * stride), to);
}

typedef struct {
  __m256i low, high;
} cnd_tile_pixel;

CND_INLINE cnd_tile_pixel cnd_tile_add(cnd_tile_pixel sum, const cnd_value* x, __m256i low, __m256i high) {
  const __m256i pair = _mm256_set1_epi32(cnd_load_word(x));
  const cnd_tile_pixel more = {_mm256_add_epi32(sum.low, _mm256_madd_epi16(pair, low)),
                               _mm256_add_epi32(sum.high, _mm256_madd_epi16(pair, high))};
  return more;
}

/* Sums of 16 channels of CND_PIXELS pixels, `apart` values from one to the next. Windows are `lines` runs of `steps`
 * steps: line number `line` of `lines` that lie `row` values apart comes first. */
CND_INLINE void cnd_tile_sums_16(const cnd_value* ring, int32_t line, int32_t lines, int32_t row, int32_t apart,
                                 const cnd_weight* w, int32_t steps, const int32_t* start, int32_t* sums) {
  cnd_tile_pixel s0 = {cnd_load_256(start), cnd_load_256(start + 8)};
  cnd_tile_pixel s1 = s0;
  cnd_tile_pixel s2 = s0;
  cnd_tile_pixel s3 = s0;
  for (int32_t k = 0; k < lines; ++k) {
    const cnd_value* x = ring + line * row;
    const cnd_value* const end = x + 2 * steps;
    line = line + 1 < lines ? line + 1 : 0;
    for (; x != end; x += 2) {
      const __m256i low = cnd_load_256(w);
      const __m256i high = cnd_load_256(w + 16);
      w += 32;
      s0 = cnd_tile_add(s0, x, low, high);
      s1 = cnd_tile_add(s1, x + apart, low, high);
      s2 = cnd_tile_add(s2, x + 2 * apart, low, high);
      s3 = cnd_tile_add(s3, x + 3 * apart, low, high);
    }
  }
  cnd_store_256(sums, s0.low);
  cnd_store_256(sums + 8, s0.high);
  cnd_store_256(sums + 16, s1.low);
  cnd_store_256(sums + 24, s1.high);
  cnd_store_256(sums + 32, s2.low);
  cnd_store_256(sums + 40, s2.high);
  cnd_store_256(sums + 48, s3.low);
  cnd_store_256(sums + 56, s3.high);
}

CND_INLINE __m256i cnd_rows_add(__m256i sum, __m256i values, const int8_t* w) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(values, _mm256_cvtepi8_epi16(cnd_load_16x8(w))));
}

CND_INLINE int32_t cnd_rows_total(__m256i x) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

/* Products of one run of values with four rows of weights, `stride` apart. */
CND_INLINE void cnd_rows_sums_4(const int8_t* x, const int8_t* w, int32_t stride, int32_t count, int32_t sum[4]) {
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0;
  __m256i s2 = s0;
  __m256i s3 = s0;
  for (; count >= 16; count -= 16) {
    const __m256i values = _mm256_cvtepi8_epi16(cnd_load_16x8(x));
    s0 = cnd_rows_add(s0, values, w);
    s1 = cnd_rows_add(s1, values, w + stride);
    s2 = cnd_rows_add(s2, values, w + 2 * stride);
    s3 = cnd_rows_add(s3, values, w + 3 * stride);
    x += 16;
    w += 16;
  }
  sum[0] += cnd_rows_total(s0);
  sum[1] += cnd_rows_total(s1);
  sum[2] += cnd_rows_total(s2);
  sum[3] += cnd_rows_total(s3);
  for (int32_t i = 0; i < count; ++i) {
    sum[0] += (int32_t)x[i] * (int32_t)w[i];
    sum[1] += (int32_t)x[i] * (int32_t)w[stride + i];
    sum[2] += (int32_t)x[i] * (int32_t)w[2 * stride + i];
    sum[3] += (int32_t)x[i] * (int32_t)w[3 * stride + i];
  }
}

/* Two taps of 16 channels: weights stand in pairs. */
typedef int16_t cnd_tap;

CND_INLINE cnd_16 cnd_taps_add(cnd_16 sum, const int8_t* x, const int8_t* y, const cnd_tap* w) {
  const __m128i a = cnd_load_16x8(x);
  const __m128i b = cnd_load_16x8(y);
  const __m256i low = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)), cnd_load_256(w));
  const __m256i high = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b)), cnd_load_256(w + 16));
  return cnd_16_of(_mm256_add_epi32(sum.low, low), _mm256_add_epi32(sum.high, high));
}

#endif

#ifdef __AVX512VBMI__
#define CND_TABLE 64

/* As many values of a table of 256. */
CND_INLINE void cnd_table_look(const int8_t* table, const int8_t* x, int8_t* to) {
  const __m512i index = _mm512_loadu_si512(x); /* of -128..127: the upper half of the table comes first */
  const __m512i high =
      _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), index, _mm512_loadu_si512(table + 192));
  const __m512i low = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), index, _mm512_loadu_si512(table + 64));
  _mm512_storeu_si512(to, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), high, low));
}
#endif

CND_INLINE cnd_16 cnd_16_add_bytes(cnd_16 sum, const int8_t* from) { return cnd_16_add(sum, cnd_16_widen(from)); }

/* The weights of two taps; y may be null: none. */
CND_INLINE void cnd_taps_put(const int8_t* x, const int8_t* y, int32_t channels, cnd_tap* to) {
  for (int32_t i = 0; i < 16; ++i) {
    to[2 * i] = i < channels ? (cnd_tap)x[i] : 0;
    to[2 * i + 1] = (y && i < channels) ? (cnd_tap)y[i] : 0;
  }
}

#endif

#endif
