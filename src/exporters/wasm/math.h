/* As much of the C library as the sources need; the compiler makes instructions of these calls. expf is only declared:
 * pages compute probabilities themselves. */
#ifndef CND_WASM_MATH_H
#define CND_WASM_MATH_H

float fabsf(float x);
float sqrtf(float x);
float expf(float x);

#endif
