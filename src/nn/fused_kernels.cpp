// Loops of the fused normalization steps. Written so that the compiler vectorizes them (sums over a row through
// "omp simd", which needs no OpenMP runtime); one clone per instruction set is chosen when the program is loaded.
#include "nn/fused_kernels.hpp"

#include <algorithm>
#include <bit>

#if defined(__x86_64__) && defined(__linux__)
// A platform attribute cannot be a constant or a template.
#define CONDENSER_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), flatten))
#else
#define CONDENSER_CLONES __attribute__((flatten))
#endif

namespace condenser::nn {
namespace {

// exp to 2 units in the last place on [-87, 88]: exp(x) = 2^n exp(r), r in [-ln2/2, ln2/2], polynomial of Cephes' expf.
inline float fast_exp(float x) {
  x = x > -87.0f ? x : -87.0f;
  x = x < 88.0f ? x : 88.0f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves round(x) in the low mantissa bits
  const float t = x * 1.44269504088896341f + kRound;
  const float n = t - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t exponent = std::bit_cast<int32_t>(t) - std::bit_cast<int32_t>(kRound) + 127;
  return p * std::bit_cast<float>(exponent << 23);
}

inline float sigmoid(float z) { return 1.0f / (1.0f + fast_exp(-z)); }

// f and its derivative, both as functions of z.
struct IdentityFn {
  static float value(float z) { return z; }
  static float slope(float) { return 1.0f; }
};
struct ReluFn {
  static float value(float z) { return z > 0.0f ? z : 0.0f; }
  static float slope(float z) { return z > 0.0f ? 1.0f : 0.0f; }
};
struct Relu6Fn {
  static float value(float z) {
    z = z > 0.0f ? z : 0.0f;
    return z < 6.0f ? z : 6.0f;
  }
  static float slope(float z) { return (z > 0.0f ? 1.0f : 0.0f) * (z < 6.0f ? 1.0f : 0.0f); }
};
struct SiluFn {
  static float value(float z) { return z * sigmoid(z); }
  static float slope(float z) {
    const float s = sigmoid(z);
    return s * (1.0f + z * (1.0f - s));
  }
};
struct SigmoidFn {
  static float value(float z) { return sigmoid(z); }
  static float slope(float z) {
    const float s = sigmoid(z);
    return s * (1.0f - s);
  }
};
struct HardSigmoidFn {
  static float value(float z) { return Relu6Fn::value(z + 3.0f) * (1.0f / 6.0f); }
  static float slope(float z) { return Relu6Fn::slope(z + 3.0f) * (1.0f / 6.0f); }
};
struct HardSwishFn {
  static float value(float z) { return z * HardSigmoidFn::value(z); }
  static float slope(float z) { return HardSigmoidFn::value(z) + z * HardSigmoidFn::slope(z); }
};
struct TanhFn {
  static float value(float z) { return 2.0f * sigmoid(2.0f * z) - 1.0f; }
  static float slope(float z) {
    const float t = value(z);
    return 1.0f - t * t;
  }
};

template <class Use>
inline void dispatch(Squash squash, const Use& use) {
  switch (squash) {
    case Squash::Identity: return use(IdentityFn{});
    case Squash::Relu: return use(ReluFn{});
    case Squash::Relu6: return use(Relu6Fn{});
    case Squash::Silu: return use(SiluFn{});
    case Squash::Sigmoid: return use(SigmoidFn{});
    case Squash::HardSwish: return use(HardSwishFn{});
    case Squash::HardSigmoid: return use(HardSigmoidFn{});
    case Squash::Tanh: return use(TanhFn{});
  }
}

// row[c] = softmax over channels of scale * x + shift.
inline void softmax_row(const float* __restrict x, const TiledOperand& a, int64_t channels, float* __restrict row) {
  float top = a.scale[0] * x[0] + a.shift[0];
#pragma omp simd reduction(max : top)
  for (int64_t c = 0; c < channels; ++c) {
    row[c] = a.scale[c] * x[c] + a.shift[c];
    top = row[c] > top ? row[c] : top;
  }
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (int64_t c = 0; c < channels; ++c) {
    row[c] = fast_exp(row[c] - top);
    sum += row[c];
  }
  const float inverse = 1.0f / sum;
  for (int64_t c = 0; c < channels; ++c) row[c] *= inverse;
}

template <class F>
inline void squash_forward_loop(const TiledOperand& a, int64_t count, int64_t tile, float* __restrict y) {
  const float* __restrict scale = a.scale;
  const float* __restrict shift = a.shift;
  for (int64_t i = 0; i < count; i += tile) {
    const int64_t length = std::min(tile, count - i);
    const float* __restrict x = a.x + i;
    for (int64_t t = 0; t < length; ++t) y[i + t] = F::value(scale[t] * x[t] + shift[t]);
  }
}

template <class F>
inline void add_forward_loop(const TiledOperand& a, const TiledOperand& b, int64_t count, int64_t tile,
                             float* __restrict y) {
  for (int64_t i = 0; i < count; i += tile) {
    const int64_t length = std::min(tile, count - i);
    const float* __restrict xa = a.x + i;
    const float* __restrict xb = b.x + i;
    for (int64_t t = 0; t < length; ++t)
      y[i + t] = F::value((a.scale[t] * xa[t] + a.shift[t]) + (b.scale[t] * xb[t] + b.shift[t]));
  }
}

template <class F>
inline void gate_forward_loop(const TiledOperand& a, const TiledOperand& b, int64_t count, int64_t channels,
                              float* __restrict row, float* __restrict y) {
  for (int64_t i = 0; i < count; i += channels) {
    softmax_row(a.x + i, a, channels, row);
    const float* __restrict xb = b.x + i;
    for (int64_t c = 0; c < channels; ++c) y[i + c] = F::value(row[c] * (b.scale[c] * xb[c] + b.shift[c]));
  }
}

template <class F>
inline void squash_backward_loop(const TiledOperand& a, const float* __restrict dy, int64_t count, int64_t tile,
                                 float* __restrict dz, TiledSums out) {
  float* __restrict sums = out.sums;
  float* __restrict products = out.products;
  for (int64_t i = 0; i < count; i += tile) {
    const int64_t length = std::min(tile, count - i);
    const float* __restrict x = a.x + i;
    for (int64_t t = 0; t < length; ++t) {
      const float d = dy[i + t] * F::slope(a.scale[t] * x[t] + a.shift[t]);
      dz[i + t] = d;
      sums[t] += d;
      products[t] += d * (x[t] - a.center[t]);
    }
  }
}

template <class F>
inline void add_backward_loop(const TiledOperand& a, const TiledOperand& b, const float* __restrict dy, int64_t count,
                              int64_t tile, float* __restrict dz, TiledSums out, float* __restrict products_b) {
  float* __restrict sums = out.sums;
  float* __restrict products_a = out.products;
  for (int64_t i = 0; i < count; i += tile) {
    const int64_t length = std::min(tile, count - i);
    const float* __restrict xa = a.x + i;
    const float* __restrict xb = b.x + i;
    for (int64_t t = 0; t < length; ++t) {
      const float z = (a.scale[t] * xa[t] + a.shift[t]) + (b.scale[t] * xb[t] + b.shift[t]);
      const float d = dy[i + t] * F::slope(z);
      dz[i + t] = d;
      sums[t] += d;
      products_a[t] += d * (xa[t] - a.center[t]);
      products_b[t] += d * (xb[t] - b.center[t]);
    }
  }
}

// p = softmax(za), z = p * zb, dz = dy f'(z); dzb = dz p; dp = dz zb; dza = p (dp - sum_c dp p).
template <class F>
inline void gate_backward_loop(const TiledOperand& a, const TiledOperand& b, const float* __restrict dy, int64_t count,
                               int64_t channels, float* __restrict rows, float* __restrict dza, float* __restrict dzb,
                               TiledSums out_a, TiledSums out_b) {
  float* __restrict p = rows;
  float* __restrict dp = rows + channels;
  for (int64_t i = 0; i < count; i += channels) {
    const float* __restrict xa = a.x + i;
    const float* __restrict xb = b.x + i;
    softmax_row(xa, a, channels, p);
    float dot = 0.0f;
#pragma omp simd reduction(+ : dot)
    for (int64_t c = 0; c < channels; ++c) {
      const float zb = b.scale[c] * xb[c] + b.shift[c];
      const float d = dy[i + c] * F::slope(p[c] * zb);
      const float db = d * p[c];
      dzb[i + c] = db;
      dp[c] = d * zb;
      dot += dp[c] * p[c];
      out_b.sums[c] += db;
      out_b.products[c] += db * (xb[c] - b.center[c]);
    }
    for (int64_t c = 0; c < channels; ++c) {
      const float da = p[c] * (dp[c] - dot);
      dza[i + c] = da;
      out_a.sums[c] += da;
      out_a.products[c] += da * (xa[c] - a.center[c]);
    }
  }
}

}  // namespace

CONDENSER_CLONES void moments(const float* __restrict x, int64_t count, int64_t tile, const float* __restrict pivot,
                              float* __restrict sums, float* __restrict squares) {
  for (int64_t i = 0; i < count; i += tile) {
    const int64_t length = std::min(tile, count - i);
    for (int64_t t = 0; t < length; ++t) {
      const float d = x[i + t] - pivot[t];
      sums[t] += d;
      squares[t] += d * d;
    }
  }
}

CONDENSER_CLONES void squash_forward(Squash squash, const TiledOperand& a, int64_t count, int64_t tile, float* y) {
  dispatch(squash, [&](auto f) { squash_forward_loop<decltype(f)>(a, count, tile, y); });
}

CONDENSER_CLONES void add_forward(Squash squash, const TiledOperand& a, const TiledOperand& b, int64_t count,
                                  int64_t tile, float* y) {
  dispatch(squash, [&](auto f) { add_forward_loop<decltype(f)>(a, b, count, tile, y); });
}

CONDENSER_CLONES void gate_forward(Squash squash, const TiledOperand& a, const TiledOperand& b, int64_t count,
                                   int64_t channels, float* row, float* y) {
  dispatch(squash, [&](auto f) { gate_forward_loop<decltype(f)>(a, b, count, channels, row, y); });
}

CONDENSER_CLONES void squash_backward(Squash squash, const TiledOperand& a, const float* dy, int64_t count,
                                      int64_t tile, float* dz, TiledSums out) {
  dispatch(squash, [&](auto f) { squash_backward_loop<decltype(f)>(a, dy, count, tile, dz, out); });
}

CONDENSER_CLONES void add_backward(Squash squash, const TiledOperand& a, const TiledOperand& b, const float* dy,
                                   int64_t count, int64_t tile, float* dz, TiledSums out, float* products_b) {
  dispatch(squash, [&](auto f) { add_backward_loop<decltype(f)>(a, b, dy, count, tile, dz, out, products_b); });
}

CONDENSER_CLONES void gate_backward(Squash squash, const TiledOperand& a, const TiledOperand& b, const float* dy,
                                    int64_t count, int64_t channels, float* rows, float* dza, float* dzb,
                                    TiledSums out_a, TiledSums out_b) {
  dispatch(squash,
           [&](auto f) { gate_backward_loop<decltype(f)>(a, b, dy, count, channels, rows, dza, dzb, out_a, out_b); });
}

CONDENSER_CLONES void affine(const float* dz, const float* __restrict x, int64_t count, int64_t tile,
                             const float* __restrict p, const float* __restrict q, const float* __restrict r,
                             float* out) {
  for (int64_t i = 0; i < count; i += tile) {
    const int64_t length = std::min(tile, count - i);
    for (int64_t t = 0; t < length; ++t) out[i + t] = p[t] * dz[i + t] + q[t] * x[i + t] + r[t];
  }
}

}  // namespace condenser::nn
