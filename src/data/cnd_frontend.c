/* The arithmetic of cnd_frontend.h. */
#include "cnd_frontend.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__FAST_MATH__)
#error "cnd_frontend.c needs IEEE arithmetic; compile it without -ffast-math"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "cnd_frontend.c needs single precision: -fexcess-precision=fast, on x86 of 32 bits -msse2 -mfpmath=sse"
#endif
/* Products are rounded before they are added, whatever the options. (Vectorizing for x86 with FMA, GCC 12 joins them
 * nevertheless.) */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && defined(__FMA__)
#pragma GCC optimize("fp-contract=off", "no-tree-vectorize")
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s) with s = (m - 1) / (m + 1), |s| < 0.172: five terms. */
float cnd_frontend_log(float x) {
  uint32_t bits;
  (void)memcpy(&bits, &x, sizeof bits);
  const uint32_t above = bits - 0x3f3504f3u; /* the bits of sqrt(1/2) */
  const int32_t exponent = (int32_t)(above & 0xff800000u) / 8388608;
  bits -= above & 0xff800000u;
  float m;
  (void)memcpy(&m, &bits, sizeof m);
  const float s = (m - 1.0f) / (m + 1.0f);
  const float q = s * s;
  const float series = q * (0.33333333f + q * (0.2f + q * (0.14285714f + q * 0.11111111f)));
  return (float)exponent * 0.69314718f + 2.0f * (s + s * series);
}

/* A clip on the scale of the front-end, or samples of 16 bits and what brings them there. */
typedef struct {
  const float* scaled; /* NULL: the others count */
  const int16_t* whole;
  float gain;
} cnd_clip;

/* Windowed samples of a frame in bit-reversed order, as fft / 2 complex numbers (even samples, odd samples). */
static void cnd_frontend_load(const cnd_frontend* f, const cnd_clip* clip, int32_t frame, float* z) {
  const int32_t half = f->fft / 2;
  const int32_t begin = f->begin + frame * f->stride;
  for (int32_t i = 0; i < half; ++i) {
    float pair[2];
    for (int32_t k = 0; k < 2; ++k) {
      const int32_t n = 2 * i + k;
      const int32_t at = begin + n;
      pair[k] = 0.0f;
      if (n < f->window && at >= 0 && at < f->samples) {
        const float sample = clip->scaled != NULL ? clip->scaled[at] : (float)clip->whole[at] * clip->gain;
        pair[k] = sample * f->hann[n];
      }
    }
    float* to = z + 2 * (int32_t)f->order[i];
    to[0] = pair[0];
    to[1] = pair[1];
  }
}

/* Complex FFT of n numbers in place, radix 2, decimation in time; `turns` are those of 2 n. */
static void cnd_frontend_fft(int32_t n, const float* turns, float* z) {
  for (int32_t i = 0; i < 2 * n; i += 4) { /* first step: no turn */
    const float re = z[i + 2], im = z[i + 3];
    z[i + 2] = z[i] - re;
    z[i + 3] = z[i + 1] - im;
    z[i] += re;
    z[i + 1] += im;
  }
  for (int32_t half = 2; half < n; half *= 2) {
    const int32_t step = 2 * (n / half); /* floats from turn to turn */
    for (int32_t block = 0; block < n; block += 2 * half) {
      float* low = z + 2 * block;
      float* high = low + 2 * half;
      for (int32_t j = 0; j < half; ++j) {
        const float c = turns[j * step], s = turns[j * step + 1];
        const float re = high[2 * j] * c - high[2 * j + 1] * s;
        const float im = high[2 * j] * s + high[2 * j + 1] * c;
        high[2 * j] = low[2 * j] - re;
        high[2 * j + 1] = low[2 * j + 1] - im;
        low[2 * j] += re;
        low[2 * j + 1] += im;
      }
    }
  }
}

/* Lines 0 .. lines - 1 of the real spectrum from the complex one of half its length: X[k] = E[k] + W^k O[k], where
 * E = (Z[k] + conj Z[n - k]) / 2 and O = (Z[k] - conj Z[n - k]) / 2i are the spectra of even and odd samples. */
static void cnd_frontend_magnitudes(int32_t n, int32_t lines, const float* turns, const float* z, float* magnitudes) {
  magnitudes[0] = fabsf(z[0] + z[1]);
  for (int32_t k = 1; k < lines; ++k) {
    if (k == n) {
      magnitudes[n] = fabsf(z[0] - z[1]);
      break;
    }
    const float* a = z + 2 * k;
    const float* b = z + 2 * (n - k);
    const float even_re = 0.5f * (a[0] + b[0]), even_im = 0.5f * (a[1] - b[1]);
    const float odd_re = 0.5f * (a[1] + b[1]), odd_im = 0.5f * (b[0] - a[0]);
    const float c = turns[2 * k], s = turns[2 * k + 1];
    const float re = even_re + (c * odd_re - s * odd_im);
    const float im = even_im + (c * odd_im + s * odd_re);
    magnitudes[k] = sqrtf(re * re + im * im);
  }
}

static void cnd_frontend_bands(const cnd_frontend* f, const float* magnitudes, float* bands) {
  const float* weight = f->band_weights;
  for (int32_t b = 0; b < f->bands; ++b) {
    float sum = 0.0f;
    for (int32_t k = f->band_begin[b]; k < f->band_end[b]; ++k) {
      sum += *weight * magnitudes[k];
      ++weight;
    }
    bands[b] = cnd_frontend_log(sum + 1e-6f);
  }
}

static float cnd_frontend_dot(int32_t n, const float* a, const float* b) {
  float sum = 0.0f;
  for (int32_t i = 0; i < n; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

int32_t cnd_frontend_scratch(const cnd_frontend* f) { return f->fft + f->fft / 2 + 1 + f->bands; }

/* Value v is written to values[v * step]. */
static void cnd_frontend_values(const cnd_frontend* f, const cnd_clip* clip, int32_t frame, float* scratch,
                                float* values, int32_t step) {
  float* z = scratch;
  float* magnitudes = z + f->fft;
  float* bands = magnitudes + f->fft / 2 + 1;
  cnd_frontend_load(f, clip, frame, z);
  cnd_frontend_fft(f->fft / 2, f->turns, z);
  cnd_frontend_magnitudes(f->fft / 2, f->band_end[f->bands - 1], f->turns, z, magnitudes);
  cnd_frontend_bands(f, magnitudes, bands);
  if (f->coefficients == 0) {
    for (int32_t b = 0; b < f->bands; ++b) {
      values[b * step] = bands[b];
    }
  }
  for (int32_t c = 0; c < f->coefficients; ++c) {
    values[c * step] = cnd_frontend_dot(f->bands, f->dct + c * f->bands, bands);
  }
}

void cnd_frontend_run(const cnd_frontend* f, const float* clip, float* scratch, float* features) {
  const cnd_clip scaled = {clip, NULL, 1.0f};
  for (int32_t frame = 0; frame < f->frames; ++frame) {
    cnd_frontend_values(f, &scaled, frame, scratch, features + frame * f->frame_step, f->value_step);
  }
}

void cnd_frontend_frame(const cnd_frontend* f, const int16_t* clip, float gain, int32_t frame, float* scratch,
                        float* values) {
  const cnd_clip whole = {NULL, clip, gain};
  cnd_frontend_values(f, &whole, frame, scratch, values, 1);
}

float cnd_frontend_gain(int32_t samples, const int16_t* clip) {
  int16_t largest = 0;
  for (int32_t i = 0; i < samples; ++i) {
    if (clip[i] > largest) {
      largest = clip[i];
    }
  }
  return 1.0f / (largest > 0 ? (float)largest : 32768.0f);
}
