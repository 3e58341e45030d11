/* Arm's DSP instructions as functions, where the compiler states that the target has them (CND_DSP is then defined).
 * Words of four int8 or two int16 values, the first value in the lowest bits: little-endian targets only. */
#ifndef CND_DSP_H
#define CND_DSP_H

#include <stdint.h>
#include <string.h>

/* A function of an inner loop: its sums must stay in registers. And one whose registers are its own. */
#if defined(__GNUC__)
#define CND_INLINE static inline __attribute__((always_inline))
#define CND_APART static __attribute__((noinline, unused))
#else
#define CND_INLINE static inline
#define CND_APART static
#endif

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_BIG_ENDIAN) && !defined(CND_NO_DSP)
#define CND_DSP 1

#include <arm_acle.h>

#if defined(__GNUC__)
#define CND_WORDS(pointer) __builtin_assume_aligned(pointer, 4)
#else
#define CND_WORDS(pointer) (pointer)
#endif

/* Any address: such targets load words from everywhere, and compilers make one instruction of it. */
static inline uint32_t cnd_load_4x8(const int8_t* from) {
  uint32_t word;
  (void)memcpy(&word, from, sizeof word);
  return word;
}

/* From an address that is a multiple of four. */
static inline uint32_t cnd_load_2x16(const int16_t* from) {
  uint32_t word;
  (void)memcpy(&word, CND_WORDS(from), sizeof word);
  return word;
}

/* From any address of a value. */
static inline uint32_t cnd_load_near_2x16(const int16_t* from) {
  uint32_t word;
  (void)memcpy(&word, from, sizeof word);
  return word;
}

/* From a multiple of four: values 0, 1 to *low and 2, 3 to *high. */
static inline void cnd_load_4x16(const int16_t* from, uint32_t* low, uint32_t* high) {
#if defined(__GNUC__) && defined(__thumb2__)
  typedef struct {
    int16_t v[4];
  } four;
  __asm__("ldrd %0, %1, %2" : "=&r"(*low), "=r"(*high) : "Q"(*(const four*)(const void*)from));
#else
  *low = cnd_load_2x16(from);
  *high = cnd_load_2x16(from + 2);
#endif
}

static inline void cnd_store_2x16(int16_t* to, uint32_t word) { (void)memcpy(to, &word, sizeof word); }

/* To any address of a value. */
static inline void cnd_store_near_2x16(int16_t* to, uint32_t word) { (void)memcpy(to, &word, sizeof word); }

static inline uint32_t cnd_pair(int32_t low, int32_t high) {
  return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

/* The halves of a pair. */
static inline int32_t cnd_low(uint32_t x) { return (int16_t)(uint16_t)(x & 0xffffu); }
static inline int32_t cnd_high(uint32_t x) { return (int16_t)(uint16_t)(x >> 16); }

static inline uint32_t cnd_ror8(uint32_t x) { return (x >> 8) | (x << 24); }

/* floor(x / 2) within [-128, 127]. */
static inline int32_t cnd_saturate8_half(int32_t x) {
#if defined(__GNUC__) && defined(__arm__)
  int32_t result;
  __asm__("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(x));
  return result;
#else
  return __ssat(x < 0 ? ~(~x >> 1) : x >> 1, 8);
#endif
}

/* Bytes 0 and 2, widened. */
static inline uint32_t cnd_sxtb16(uint32_t x) { return (uint32_t)__sxtb16((int8x4_t)x); }

/* Bytes 1 and 3, widened: one instruction, which GCC does not find by itself. */
static inline uint32_t cnd_sxtb16_ror8(uint32_t x) {
#if defined(__GNUC__) && defined(__arm__) && !defined(__clang__)
  uint32_t halves;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(x));
  return halves;
#else
  return cnd_sxtb16(cnd_ror8(x));
#endif
}

/* Bytes 0 and 2 of x, widened, added to the halves of a. */
static inline uint32_t cnd_sxtab16(uint32_t a, uint32_t x) { return (uint32_t)__sxtab16((int16x2_t)a, (int8x4_t)x); }

/* Bytes 1 and 3 of x. */
static inline uint32_t cnd_sxtab16_ror8(uint32_t a, uint32_t x) {
#if defined(__GNUC__) && defined(__arm__) && !defined(__clang__)
  uint32_t halves;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(halves) : "r"(a), "r"(x));
  return halves;
#else
  return cnd_sxtab16(a, cnd_ror8(x));
#endif
}

/* sum + a[0] * b[0] + a[1] * b[1] */
static inline int32_t cnd_smlad(uint32_t a, uint32_t b, int32_t sum) {
  return __smlad((int16x2_t)a, (int16x2_t)b, sum);
}

/* sum + four products: values 0 and 2, and 1 and 3, times the weights at *w, which goes on. */
static inline int32_t cnd_smlad_4x8(uint32_t x02, uint32_t x13, const int8_t** w, int32_t sum) {
#if defined(__GNUC__) && defined(__thumb2__)
  uint32_t w02, w13;
  __asm__(
      "ldr %[w02], [%[w]], #4\n\t"
      "sxtb16 %[w13], %[w02], ror #8\n\t"
      "sxtb16 %[w02], %[w02]\n\t"
      "smlad %[sum], %[x13], %[w13], %[sum]\n\t"
      "smlad %[sum], %[x02], %[w02], %[sum]"
      : [w] "+r"(*w), [w02] "=&r"(w02), [w13] "=&r"(w13), [sum] "+r"(sum)
      : [x02] "r"(x02), [x13] "r"(x13)
      : "memory");
  return sum;
#else
  const uint32_t four = cnd_load_4x8(*w);
  *w += 4;
  return cnd_smlad(x13, cnd_sxtb16_ror8(four), cnd_smlad(x02, cnd_sxtb16(four), sum));
#endif
}

/* sum + a[0] * b[1] and sum + a[1] * b[0] */
static inline int32_t cnd_smlabt(uint32_t a, uint32_t b, int32_t sum) { return __smlabt((int32_t)a, (int32_t)b, sum); }
static inline int32_t cnd_smlatb(uint32_t a, uint32_t b, int32_t sum) { return __smlatb((int32_t)a, (int32_t)b, sum); }

#endif

#endif
