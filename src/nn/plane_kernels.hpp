#pragma once
// Loops over whole planes [h, w] of floats: pools, and squeeze-excite's two operations. Threads and autograd are left
// to functions.cpp.

#include <cstdint>

namespace condenser::nn {

// Average pool 2x2, stride 2, of planes [h, w] -> [h / 2, w / 2], and its gradient; a last odd row or column is left
// out.
void halve_forward(const float* x, int64_t planes, int64_t h, int64_t w, float* y);
void halve_backward(const float* dy, int64_t planes, int64_t h, int64_t w, float* dx);

// means[p] = mean of plane p, and its gradient.
void means_forward(const float* x, int64_t planes, int64_t pixels, float* means);
void means_backward(const float* d_means, int64_t planes, int64_t pixels, float* dx);

// sums[c] += sum over images and pixels of x: [images, channels, pixels].
void channel_sums(const float* x, int64_t images, int64_t channels, int64_t pixels, float* sums);

// y = factor[p] * x for each plane p; dx = factor[p] * dy, d_factor[p] = sum of dy * x.
void scale_forward(const float* x, const float* factor, int64_t planes, int64_t pixels, float* y);
void scale_backward(const float* x, const float* factor, const float* dy, int64_t planes, int64_t pixels, float* dx,
                    float* d_factor);

}  // namespace condenser::nn
