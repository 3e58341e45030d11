/* Dot products of int8 rows with int32 accumulators: the inner loops of convolution, pointwise and linear kernels.
 * The caller guarantees that the accumulators cannot overflow (checked when the network is built). */
#ifndef CND_DOT_H
#define CND_DOT_H

#include <stdint.h>

/* sum of (x[i] + offset) * w[i] */
static inline int32_t cnd_dot(const int8_t* x, int32_t offset, const int8_t* w, int32_t n) {
  int32_t sum = 0;
  for (int32_t i = 0; i < n; ++i) {
    sum += ((int32_t)x[i] + offset) * (int32_t)w[i];
  }
  return sum;
}

/* Four rows of weights, `stride` apart, against the same input: each input value is read once. Adds to sum[0..3]. */
static inline void cnd_dot4(const int8_t* x, int32_t offset, const int8_t* w, int32_t stride, int32_t n,
                            int32_t sum[4]) {
  const int8_t* w0 = w;
  const int8_t* w1 = w0 + stride;
  const int8_t* w2 = w1 + stride;
  const int8_t* w3 = w2 + stride;
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
  for (int32_t i = 0; i < n; ++i) {
    const int32_t value = (int32_t)x[i] + offset;
    s0 += value * (int32_t)w0[i];
    s1 += value * (int32_t)w1[i];
    s2 += value * (int32_t)w2[i];
    s3 += value * (int32_t)w3[i];
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

#endif
