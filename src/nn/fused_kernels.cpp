// Loops of the fused normalization steps. Written so that the compiler vectorizes them along the pixels of a plane
// (sums through "omp simd", which needs no OpenMP runtime).
#include "nn/fused_kernels.hpp"

#include <algorithm>
#include <bit>

#include "nn/clones.hpp"

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

// Sums of floats longer than this are continued in double precision: what batch norm subtracts is nearly what it
// subtracts from.
constexpr int64_t kRun = 512;

// Calls body(first pixel, pixels) for parts of a plane.
template <class Body>
inline void for_runs(int64_t pixels, const Body& body) {
  for (int64_t begin = 0; begin < pixels; begin += kRun) body(begin, std::min(kRun, pixels - begin));
}

// Maps of one pixel, as after global pooling and in networks of linear layers: the lanes are channels then.
template <class Body>
inline void for_single_pixels(const PlaneShape& shape, const Body& body) {
  for (int64_t i = 0; i < shape.images; ++i)
#pragma omp simd
    for (int64_t c = 0; c < shape.channels; ++c) body(i * shape.channels + c, c);
}

template <class F>
inline void squash_forward_loop(const PlaneOperand& a, const PlaneShape& shape, float* __restrict y) {
  if (shape.pixels == 1)
    return for_single_pixels(shape, [&, x = a.x, scale = a.scale, shift = a.shift](int64_t i, int64_t c) {
      y[i] = F::value(scale[c] * x[i] + shift[c]);
    });
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t c = 0; c < shape.channels; ++c) {
      const int64_t at = (i * shape.channels + c) * shape.pixels;
      const float scale = a.scale[c], shift = a.shift[c];
      const float* __restrict x = a.x + at;
      for (int64_t p = 0; p < shape.pixels; ++p) y[at + p] = F::value(scale * x[p] + shift);
    }
}

template <class F>
inline void add_forward_loop(const PlaneOperand& a, const PlaneOperand& b, const PlaneShape& shape,
                             float* __restrict y) {
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t c = 0; c < shape.channels; ++c) {
      const int64_t at = (i * shape.channels + c) * shape.pixels;
      const float scale_a = a.scale[c], scale_b = b.scale[c], shift = a.shift[c] + b.shift[c];
      const float* __restrict xa = a.x + at;
      const float* __restrict xb = b.x + at;
      for (int64_t p = 0; p < shape.pixels; ++p) y[at + p] = F::value(scale_a * xa[p] + scale_b * xb[p] + shift);
    }
}

// e[c][p] = exp(za - top) and inverse[p] = 1 / sum over channels, for `length` pixels from `at` on.
inline void softmax_block(const PlaneOperand& a, const PlaneShape& shape, int64_t at, int64_t length,
                          float* __restrict e, float* __restrict inverse) {
  float top[kGateBlock];
  std::fill(top, top + kGateBlock, -3.4e38f);
  for (int64_t c = 0; c < shape.channels; ++c) {
    const float scale = a.scale[c], shift = a.shift[c];
    const float* __restrict x = a.x + at + c * shape.pixels;
    float* __restrict z = e + c * kGateBlock;
    for (int64_t p = 0; p < length; ++p) {
      z[p] = scale * x[p] + shift;
      top[p] = z[p] > top[p] ? z[p] : top[p];
    }
  }
  std::fill(inverse, inverse + kGateBlock, 0.0f);
  for (int64_t c = 0; c < shape.channels; ++c) {
    float* __restrict z = e + c * kGateBlock;
    for (int64_t p = 0; p < length; ++p) {
      z[p] = fast_exp(z[p] - top[p]);
      inverse[p] += z[p];
    }
  }
  for (int64_t p = 0; p < length; ++p) inverse[p] = 1.0f / inverse[p];
}

template <class F>
inline void gate_forward_loop(const PlaneOperand& a, const PlaneOperand& b, const PlaneShape& shape,
                              float* __restrict scratch, float* __restrict y) {
  float inverse[kGateBlock];
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t begin = 0; begin < shape.pixels; begin += kGateBlock) {
      const int64_t length = std::min(kGateBlock, shape.pixels - begin);
      const int64_t at = i * shape.channels * shape.pixels + begin;
      softmax_block(a, shape, at, length, scratch, inverse);
      for (int64_t c = 0; c < shape.channels; ++c) {
        const float scale = b.scale[c], shift = b.shift[c];
        const float* __restrict e = scratch + c * kGateBlock;
        const float* __restrict x = b.x + at + c * shape.pixels;
        float* __restrict to = y + at + c * shape.pixels;
        for (int64_t p = 0; p < length; ++p) to[p] = F::value(e[p] * inverse[p] * (scale * x[p] + shift));
      }
    }
}

template <class F>
inline void squash_backward_loop(const PlaneOperand& a, const float* __restrict dy, const PlaneShape& shape,
                                 float* __restrict dz, PlaneSums out) {
  if (shape.pixels == 1)
    return for_single_pixels(shape, [&, x = a.x, scale = a.scale, shift = a.shift, center = a.center, sums = out.sums,
                                     products = out.products](int64_t i, int64_t c) {
      const float d = dy[i] * F::slope(scale[c] * x[i] + shift[c]);
      dz[i] = d;
      sums[c] += d;
      products[c] += d * (x[i] - center[c]);
    });
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t c = 0; c < shape.channels; ++c) {
      const int64_t at = (i * shape.channels + c) * shape.pixels;
      const float scale = a.scale[c], shift = a.shift[c], center = a.center[c];
      double sums = 0, products = 0;
      for_runs(shape.pixels, [&](int64_t begin, int64_t length) {
        const float* __restrict x = a.x + at + begin;
        const float* __restrict from = dy + at + begin;
        float* __restrict to = dz + at + begin;
        float sum = 0.0f, product = 0.0f;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t p = 0; p < length; ++p) {
          const float d = from[p] * F::slope(scale * x[p] + shift);
          to[p] = d;
          sum += d;
          product += d * (x[p] - center);
        }
        sums += sum;
        products += product;
      });
      out.sums[c] += static_cast<float>(sums);
      out.products[c] += static_cast<float>(products);
    }
}

template <class F>
inline void add_backward_loop(const PlaneOperand& a, const PlaneOperand& b, const float* __restrict dy,
                              const PlaneShape& shape, float* __restrict dz, PlaneSums out,
                              float* __restrict products_b) {
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t c = 0; c < shape.channels; ++c) {
      const int64_t at = (i * shape.channels + c) * shape.pixels;
      const float scale_a = a.scale[c], scale_b = b.scale[c], shift = a.shift[c] + b.shift[c];
      const float center_a = a.center[c], center_b = b.center[c];
      double sums = 0, products = 0, others = 0;
      for_runs(shape.pixels, [&](int64_t begin, int64_t length) {
        const float* __restrict xa = a.x + at + begin;
        const float* __restrict xb = b.x + at + begin;
        const float* __restrict from = dy + at + begin;
        float* __restrict to = dz + at + begin;
        float sum = 0.0f, product_a = 0.0f, product_b = 0.0f;
#pragma omp simd reduction(+ : sum, product_a, product_b)
        for (int64_t p = 0; p < length; ++p) {
          const float d = from[p] * F::slope(scale_a * xa[p] + scale_b * xb[p] + shift);
          to[p] = d;
          sum += d;
          product_a += d * (xa[p] - center_a);
          product_b += d * (xb[p] - center_b);
        }
        sums += sum;
        products += product_a;
        others += product_b;
      });
      out.sums[c] += static_cast<float>(sums);
      out.products[c] += static_cast<float>(products);
      products_b[c] += static_cast<float>(others);
    }
}

// s = softmax(za), z = s * zb, d = dy f'(z); dzb = d s; ds = d zb; dza = s (ds - sum_c ds s).
template <class F>
inline void gate_backward_loop(const PlaneOperand& a, const PlaneOperand& b, const float* __restrict dy,
                               const PlaneShape& shape, float* __restrict scratch, float* __restrict dza,
                               float* __restrict dzb, PlaneSums out_a, PlaneSums out_b) {
  float inverse[kGateBlock], dot[kGateBlock];
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t begin = 0; begin < shape.pixels; begin += kGateBlock) {
      const int64_t length = std::min(kGateBlock, shape.pixels - begin);
      const int64_t image = i * shape.channels * shape.pixels + begin;
      softmax_block(a, shape, image, length, scratch, inverse);
      std::fill(dot, dot + kGateBlock, 0.0f);
      for (int64_t c = 0; c < shape.channels; ++c) {
        const int64_t at = image + c * shape.pixels;
        const float scale = b.scale[c], shift = b.shift[c], center = b.center[c];
        float* __restrict s = scratch + c * kGateBlock;
        const float* __restrict x = b.x + at;
        float sum = 0.0f, product = 0.0f;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t p = 0; p < length; ++p) {
          s[p] *= inverse[p];
          const float zb = scale * x[p] + shift;
          const float d = dy[at + p] * F::slope(s[p] * zb);
          const float db = d * s[p];
          dzb[at + p] = db;
          dza[at + p] = d * zb;
          dot[p] += db * zb;
          sum += db;
          product += db * (x[p] - center);
        }
        out_b.sums[c] += sum;
        out_b.products[c] += product;
      }
      for (int64_t c = 0; c < shape.channels; ++c) {
        const int64_t at = image + c * shape.pixels;
        const float center = a.center[c];
        const float* __restrict s = scratch + c * kGateBlock;
        const float* __restrict x = a.x + at;
        float sum = 0.0f, product = 0.0f;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t p = 0; p < length; ++p) {
          const float d = s[p] * (dza[at + p] - dot[p]);
          dza[at + p] = d;
          sum += d;
          product += d * (x[p] - center);
        }
        out_a.sums[c] += sum;
        out_a.products[c] += product;
      }
    }
}

}  // namespace

CONDENSER_CLONED(moments,
                 (const float* __restrict x, const PlaneShape& shape, const float* pivot, float* sums, float* squares),
                 (x, shape, pivot, sums, squares)) {
  if (shape.pixels == 1)
    return for_single_pixels(shape, [=](int64_t i, int64_t c) {
      const float d = x[i] - pivot[c];
      sums[c] += d;
      squares[c] += d * d;
    });
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t c = 0; c < shape.channels; ++c, x += shape.pixels) {
      const float around = pivot[c];
      double plane_sums = 0, plane_squares = 0;
      for_runs(shape.pixels, [&](int64_t begin, int64_t length) {
        float sum = 0.0f, square = 0.0f;
#pragma omp simd reduction(+ : sum, square)
        for (int64_t p = 0; p < length; ++p) {
          const float d = x[begin + p] - around;
          sum += d;
          square += d * d;
        }
        plane_sums += sum;
        plane_squares += square;
      });
      sums[c] += static_cast<float>(plane_sums);
      squares[c] += static_cast<float>(plane_squares);
    }
}

CONDENSER_CLONED(squash_forward, (Squash squash, const PlaneOperand& a, const PlaneShape& shape, float* y),
                 (squash, a, shape, y)) {
  dispatch(squash, [&](auto f) { squash_forward_loop<decltype(f)>(a, shape, y); });
}

CONDENSER_CLONED(add_forward,
                 (Squash squash, const PlaneOperand& a, const PlaneOperand& b, const PlaneShape& shape, float* y),
                 (squash, a, b, shape, y)) {
  dispatch(squash, [&](auto f) { add_forward_loop<decltype(f)>(a, b, shape, y); });
}

CONDENSER_CLONED(gate_forward,
                 (Squash squash, const PlaneOperand& a, const PlaneOperand& b, const PlaneShape& shape, float* scratch,
                  float* y),
                 (squash, a, b, shape, scratch, y)) {
  dispatch(squash, [&](auto f) { gate_forward_loop<decltype(f)>(a, b, shape, scratch, y); });
}

CONDENSER_CLONED(squash_backward,
                 (Squash squash, const PlaneOperand& a, const float* dy, const PlaneShape& shape, float* dz,
                  PlaneSums out),
                 (squash, a, dy, shape, dz, out)) {
  dispatch(squash, [&](auto f) { squash_backward_loop<decltype(f)>(a, dy, shape, dz, out); });
}

CONDENSER_CLONED(add_backward,
                 (Squash squash, const PlaneOperand& a, const PlaneOperand& b, const float* dy, const PlaneShape& shape,
                  float* dz, PlaneSums out, float* products_b),
                 (squash, a, b, dy, shape, dz, out, products_b)) {
  dispatch(squash, [&](auto f) { add_backward_loop<decltype(f)>(a, b, dy, shape, dz, out, products_b); });
}

CONDENSER_CLONED(gate_backward,
                 (Squash squash, const PlaneOperand& a, const PlaneOperand& b, const float* dy, const PlaneShape& shape,
                  float* scratch, float* dza, float* dzb, PlaneSums out_a, PlaneSums out_b),
                 (squash, a, b, dy, shape, scratch, dza, dzb, out_a, out_b)) {
  dispatch(squash, [&](auto f) { gate_backward_loop<decltype(f)>(a, b, dy, shape, scratch, dza, dzb, out_a, out_b); });
}

CONDENSER_CLONED(affine,
                 (const float* dz, const float* __restrict x, const PlaneShape& shape, const float* p, const float* q,
                  const float* r, float* out),
                 (dz, x, shape, p, q, r, out)) {
  if (shape.pixels == 1)
    return for_single_pixels(shape, [=](int64_t i, int64_t c) { out[i] = p[c] * dz[i] + q[c] * x[i] + r[c]; });
  for (int64_t i = 0; i < shape.images; ++i)
    for (int64_t c = 0; c < shape.channels; ++c, dz += shape.pixels, x += shape.pixels, out += shape.pixels) {
      const float pc = p[c], qc = q[c], rc = r[c];
#pragma omp simd
      for (int64_t k = 0; k < shape.pixels; ++k) out[k] = pc * dz[k] + qc * x[k] + rc;
    }
}

}  // namespace condenser::nn
