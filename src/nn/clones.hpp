#pragma once
// A kernel in two forms, chosen when it is called: for AVX2 with FMA, and for every processor. Wider vectors than
// AVX2's gain little on planes of a few hundred pixels and cost compile time.
//
//   CONDENSER_CLONED(scale, (const float* x, int64_t n, float* y), (x, n, y)) { ... }   // defines void scale(...)

#include "nn/tiling.hpp"

#if defined(__x86_64__) && defined(__linux__)
#define CONDENSER_WIDE __attribute__((target("arch=x86-64-v3"), flatten))
#else
#define CONDENSER_WIDE __attribute__((flatten))
#endif

// A platform attribute cannot be a constant or a template.
#define CONDENSER_CLONED(name, parameters, arguments)                                             \
  static inline void name##_loop parameters;                                                      \
  CONDENSER_WIDE static void name##_wide parameters { name##_loop arguments; }                    \
  __attribute__((flatten)) static void name##_plain parameters { name##_loop arguments; }         \
  void name parameters { simd() >= Simd::Avx2 ? name##_wide arguments : name##_plain arguments; } \
  static inline void name##_loop parameters
