#include "nn/plane_kernels.hpp"

#include <algorithm>
#include <limits>

#include "nn/clones.hpp"

namespace condenser::nn {

CONDENSER_CLONED(halve_forward, (const float* x, int64_t planes, int64_t h, int64_t w, float* y),
                 (x, planes, h, w, y)) {
  for (int64_t p = 0; p < planes; ++p, x += h * w)
    for (int64_t r = 0; r < h / 2; ++r, y += w / 2) {
      const float* __restrict upper = x + 2 * r * w;
      const float* __restrict lower = upper + w;
      for (int64_t i = 0; i < w / 2; ++i)
        y[i] = 0.25f * ((upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1]));
    }
}

CONDENSER_CLONED(halve_backward, (const float* dy, int64_t planes, int64_t h, int64_t w, float* dx),
                 (dy, planes, h, w, dx)) {
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

CONDENSER_CLONED(means_forward, (const float* x, int64_t planes, int64_t pixels, float* means),
                 (x, planes, pixels, means)) {
  const float share = 1.0f / static_cast<float>(pixels);
  for (int64_t p = 0; p < planes; ++p, x += pixels) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < pixels; ++i) sum += x[i];
    means[p] = share * sum;
  }
}

CONDENSER_CLONED(means_backward, (const float* d_means, int64_t planes, int64_t pixels, float* dx),
                 (d_means, planes, pixels, dx)) {
  const float share = 1.0f / static_cast<float>(pixels);
  for (int64_t p = 0; p < planes; ++p, dx += pixels) std::fill(dx, dx + pixels, share * d_means[p]);
}

CONDENSER_CLONED(channel_sums,
                 (const float* __restrict x, int64_t images, int64_t channels, int64_t pixels, float* __restrict sums),
                 (x, images, channels, pixels, sums)) {
  if (pixels == 1) {  // the lanes are channels then
    for (int64_t i = 0; i < images; ++i, x += channels)
      for (int64_t c = 0; c < channels; ++c) sums[c] += x[c];
    return;
  }
  for (int64_t i = 0; i < images; ++i)
    for (int64_t c = 0; c < channels; ++c, x += pixels) {
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (int64_t p = 0; p < pixels; ++p) sum += x[p];
      sums[c] += sum;
    }
}

CONDENSER_CLONED(scale_forward,
                 (const float* __restrict x, const float* factor, int64_t planes, int64_t pixels, float* __restrict y),
                 (x, factor, planes, pixels, y)) {
  for (int64_t p = 0; p < planes; ++p, x += pixels, y += pixels) {
    const float f = factor[p];
    for (int64_t i = 0; i < pixels; ++i) y[i] = f * x[i];
  }
}

CONDENSER_CLONED(scale_backward,
                 (const float* __restrict x, const float* factor, const float* __restrict dy, int64_t planes,
                  int64_t pixels, float* __restrict dx, float* d_factor),
                 (x, factor, dy, planes, pixels, dx, d_factor)) {
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

CONDENSER_CLONED(max_pool_forward,
                 (const arch::MaxPool& op, const arch::Shape& in, const arch::Shape& out, const float* __restrict x,
                  int64_t planes, float* __restrict y, int32_t* __restrict taps),
                 (op, in, out, x, planes, y, taps)) {
  const int64_t sw = op.stride.w;
  for (int64_t p = 0; p < planes; ++p, x += in.h * in.w)
    for (int64_t r = 0; r < out.h; ++r, y += out.w, taps += out.w) {
      std::fill(y, y + out.w, -std::numeric_limits<float>::infinity());
      std::fill(taps, taps + out.w, 0);
      for (int64_t ky = 0; ky < op.kernel.h; ++ky) {
        const int64_t row = r * op.stride.h + ky - op.pad.top;
        if (row < 0 || row >= in.h) continue;
        for (int64_t kx = 0; kx < op.kernel.w; ++kx) {
          const int64_t shift = kx - op.pad.left;  // columns c with 0 <= c * sw + shift < in.w
          const int64_t begin = shift < 0 ? (-shift + sw - 1) / sw : 0;
          const int64_t end = shift < in.w ? std::min(out.w, (in.w - 1 - shift) / sw + 1) : 0;
          const float* __restrict from = x + row * in.w + shift;
          const auto tap = static_cast<int32_t>(ky * op.kernel.w + kx);
          const auto take = [&](int64_t c, float v) {
            const bool larger = v > y[c] || v != v;
            y[c] = larger ? v : y[c];
            taps[c] = larger ? tap : taps[c];
          };
          if (sw == 2)
            for (int64_t c = begin; c < end; ++c) take(c, from[2 * c]);
          else
            for (int64_t c = begin; c < end; ++c) take(c, from[c * sw]);
        }
      }
    }
}

CONDENSER_CLONED(max_pool_backward,
                 (const arch::MaxPool& op, const arch::Shape& in, const arch::Shape& out, const float* dy,
                  const int32_t* taps, int64_t planes, float* dx),
                 (op, in, out, dy, taps, planes, dx)) {
  std::fill(dx, dx + planes * in.h * in.w, 0.0f);
  const auto kw = static_cast<int32_t>(op.kernel.w);
  for (int64_t p = 0; p < planes; ++p, dx += in.h * in.w)
    for (int64_t r = 0; r < out.h; ++r, dy += out.w, taps += out.w)
      for (int64_t c = 0; c < out.w; ++c) {
        const int64_t row = r * op.stride.h + taps[c] / kw - op.pad.top;
        const int64_t column = c * op.stride.w + taps[c] % kw - op.pad.left;
        const bool inside = row >= 0 && row < in.h && column >= 0 && column < in.w;
        if (inside) dx[row * in.w + column] += dy[c];  // a window of minus infinity has no tap
      }
}

CONDENSER_CLONED(upsample_forward,
                 (const float* x, int64_t planes, int64_t h, int64_t w, const std::vector<int32_t>& rows,
                  const std::vector<int32_t>& columns, float* y),
                 (x, planes, h, w, rows, columns, y)) {
  const auto height = static_cast<int64_t>(rows.size()), width = static_cast<int64_t>(columns.size());
  const int32_t* at = columns.data();
  for (int64_t p = 0; p < planes; ++p, x += h * w)
    for (int64_t r = 0; r < height; ++r, y += width) {
      if (r > 0 && rows[r] == rows[r - 1]) {
        std::copy(y - width, y, y);
        continue;
      }
      const float* from = x + rows[r] * w;
      for (int64_t c = 0; c < width; ++c) y[c] = from[at[c]];
    }
}

CONDENSER_CLONED(upsample_backward,
                 (const float* dy, int64_t planes, int64_t h, int64_t w, const std::vector<int32_t>& rows,
                  const std::vector<int32_t>& columns, float* dx),
                 (dy, planes, h, w, rows, columns, dx)) {
  const auto height = static_cast<int64_t>(rows.size()), width = static_cast<int64_t>(columns.size());
  const int32_t* at = columns.data();
  std::vector<float> sum(columns.size());  // of the output rows that show the same input row
  std::fill(dx, dx + planes * h * w, 0.0f);
  for (int64_t p = 0; p < planes; ++p, dx += h * w)
    for (int64_t r = 0; r < height; ++r, dy += width) {
      const bool first = r == 0 || rows[r] != rows[r - 1];
      for (int64_t c = 0; c < width; ++c) sum[c] = first ? dy[c] : sum[c] + dy[c];
      if (r + 1 < height && rows[r + 1] == rows[r]) continue;
      for (int64_t c = 0; c < width; ++c) dx[rows[r] * w + at[c]] += sum[c];
    }
}

}  // namespace condenser::nn
