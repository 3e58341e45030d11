/* Front-end of keyword spotting: a clip of samples in, log-mel bands or MFCC out. C99 that allocates nothing and calls
 * nothing but sqrtf, so that a device can run the very same code; the tables are made by whoever sets it up. Every
 * result is fixed by IEEE arithmetic in single precision: the logarithm is our own, and multiplications are not joined
 * with additions. Without IEEE arithmetic (-ffast-math) it refuses to be compiled.
 *
 * Per frame: Hann window, real FFT, magnitudes, triangular mel bands, ln(band + 1e-6), and for MFCC an orthonormal
 * DCT-II without the special factor of coefficient 0 (that is how TensorFlow's tf.signal defines them). */
#ifndef CND_FRONTEND_H
#define CND_FRONTEND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t samples;                /* of a clip */
  int32_t begin;                  /* sample at which frame 0 begins; below 0: silence comes first */
  int32_t window, stride;         /* samples of a frame, and from frame to frame */
  int32_t frames;                 /* may reach past the clip: silence follows */
  int32_t fft;                    /* power of two, >= window, >= 4 */
  int32_t bands;                  /* mel bands */
  int32_t coefficients;           /* of the DCT, <= bands; 0: the bands are the features */
  int32_t frame_step, value_step; /* value v of frame f is written to features[f * frame_step + v * value_step] */
  const float* hann;              /* [window] */
  const float* turns;             /* [fft]: cos and -sin of 2 pi k / fft, k < fft / 2 */
  const uint16_t* order;          /* [fft / 2]: bit-reversed indices */
  const int16_t* band_begin;      /* [bands]: first spectral line of each band */
  const int16_t* band_end;        /* [bands]: one past the last; ascending, <= fft / 2 + 1 */
  const float* band_weights;      /* weights of band 0's lines, then band 1's ... */
  const float* dct;               /* [coefficients, bands] */
} cnd_frontend;

/* Floats of scratch that cnd_frontend_run() needs. */
int32_t cnd_frontend_scratch(const cnd_frontend* f);

/* clip: [samples], full scale is -1..1. features: frames x (coefficients, or bands). */
void cnd_frontend_run(const cnd_frontend* f, const float* clip, float* scratch, float* features);

/* The same for frame `frame` alone, of samples of 16 bits that are multiplied with `gain` first. values: coefficients,
 * or bands, one after the other; frame_step and value_step are not asked. */
void cnd_frontend_frame(const cnd_frontend* f, const int16_t* clip, float gain, int32_t frame, float* scratch,
                        float* values);

/* What brings the largest of the samples to 1; 1 / 32768 where none is above 0. */
float cnd_frontend_gain(int32_t samples, const int16_t* clip);

/* Natural logarithm of a normal, positive number; error below 2 units in the last place. */
float cnd_frontend_log(float x);

#ifdef __cplusplus
}
#endif

#endif
