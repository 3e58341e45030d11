#include "nn/plane_kernels.hpp"

#include <algorithm>

#include "nn/clones.hpp"

namespace condenser::nn {

CONDENSER_CLONES void halve_forward(const float* x, int64_t planes, int64_t h, int64_t w, float* y) {
  for (int64_t p = 0; p < planes; ++p, x += h * w)
    for (int64_t r = 0; r < h / 2; ++r, y += w / 2) {
      const float* __restrict upper = x + 2 * r * w;
      const float* __restrict lower = upper + w;
      for (int64_t i = 0; i < w / 2; ++i)
        y[i] = 0.25f * ((upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1]));
    }
}

CONDENSER_CLONES void halve_backward(const float* dy, int64_t planes, int64_t h, int64_t w, float* dx) {
  for (int64_t p = 0; p < planes; ++p, dx += h * w) {
    for (int64_t r = 0; r < h / 2; ++r, dy += w / 2)
      for (int64_t k = 0; k < 2; ++k) {
        float* __restrict row = dx + (2 * r + k) * w;
        for (int64_t i = 0; i < w / 2; ++i) row[2 * i] = row[2 * i + 1] = 0.25f * dy[i];
        if (w % 2 == 1) row[w - 1] = 0.0f;
      }
    if (h % 2 == 1) std::fill(dx + (h - 1) * w, dx + h * w, 0.0f);
  }
}

CONDENSER_CLONES void means_forward(const float* x, int64_t planes, int64_t pixels, float* means) {
  const float share = 1.0f / static_cast<float>(pixels);
  for (int64_t p = 0; p < planes; ++p, x += pixels) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < pixels; ++i) sum += x[i];
    means[p] = share * sum;
  }
}

CONDENSER_CLONES void means_backward(const float* d_means, int64_t planes, int64_t pixels, float* dx) {
  const float share = 1.0f / static_cast<float>(pixels);
  for (int64_t p = 0; p < planes; ++p, dx += pixels) std::fill(dx, dx + pixels, share * d_means[p]);
}

CONDENSER_CLONES void channel_sums(const float* x, int64_t images, int64_t channels, int64_t pixels, float* sums) {
  for (int64_t i = 0; i < images; ++i)
    for (int64_t c = 0; c < channels; ++c, x += pixels) {
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (int64_t p = 0; p < pixels; ++p) sum += x[p];
      sums[c] += sum;
    }
}

CONDENSER_CLONES void scale_forward(const float* __restrict x, const float* factor, int64_t planes, int64_t pixels,
                                    float* __restrict y) {
  for (int64_t p = 0; p < planes; ++p, x += pixels, y += pixels) {
    const float f = factor[p];
    for (int64_t i = 0; i < pixels; ++i) y[i] = f * x[i];
  }
}

CONDENSER_CLONES void scale_backward(const float* __restrict x, const float* factor, const float* __restrict dy,
                                     int64_t planes, int64_t pixels, float* __restrict dx, float* d_factor) {
  for (int64_t p = 0; p < planes; ++p, x += pixels, dy += pixels, dx += pixels) {
    const float f = factor[p];
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < pixels; ++i) {
      sum += dy[i] * x[i];
      dx[i] = f * dy[i];
    }
    d_factor[p] = sum;
  }
}

}  // namespace condenser::nn
