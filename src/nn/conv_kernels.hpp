#pragma once
// Convolution on planes [c, h, w], for few channels and small maps: vector lanes are neighbouring pixels, so that a
// column of four channels is as fast as one of forty. Threads and autograd are left to functions.cpp.
//
// Every convolution is a matrix product: Y[o][pixel] = sum_j W[o][j] * source_j[pixel], where j runs over the input
// channels of the group and the taps of the kernel, and source_j is an input plane moved by the tap. To move planes by
// adding an offset, rows are stored `row` floats apart with zeros between them (packed planes); a stride s takes every
// s-th row and column into a plane of its own.

#include <cstdint>
#include <vector>

#include "condenser/arch/ops.hpp"

namespace condenser::nn {

struct ConvGeometry {
  arch::Shape in, out;
  arch::Conv2d op;
  bool direct = false;       // 1x1, stride 1, no padding: planes are used as they are
  int64_t row = 0;           // floats between rows of a packed plane
  int64_t grid = 0;          // packed output positions: (out.h - 1) * row + out.w
  int64_t plane = 0;         // floats of a packed plane
  int64_t phases = 1;        // packed planes per input channel: stride.h * stride.w
  int64_t packed_image = 0;  // floats of a packed image
  int64_t sources = 0;       // per group: input channels * taps
  std::vector<int64_t> tap;  // offset of each tap from the first packed plane of its channel
};

ConvGeometry conv_geometry(const arch::Shape& in, const arch::Conv2d&);

// The convolution whose forward is the gradient with respect to the input: stride 1, padding less than the kernel.
bool has_transposed(const arch::Conv2d&);
ConvGeometry transposed_geometry(const ConvGeometry&);
// weight [out, in/g, kh, kw] -> [in, out/g, kh, kw], taps reversed.
void transpose_weight(const ConvGeometry&, const float* weight, float* transposed);

// x: [images, in.c, in.h, in.w] -> y: [images, out.c, out.h, out.w], without bias or clamp.
void conv_forward(const ConvGeometry&, const float* x, const float* weight, int64_t images, float* y);

// d_weight[i] += gradient of the images given.
void conv_weight_gradient(const ConvGeometry&, const float* x, const float* dy, int64_t images, float* d_weight);

// Average pool 2x2, stride 2, of planes [h, w] -> [h / 2, w / 2], and its gradient; a last odd row or column is left
// out.
void halve_forward(const float* x, int64_t planes, int64_t h, int64_t w, float* y);
void halve_backward(const float* dy, int64_t planes, int64_t h, int64_t w, float* dx);

}  // namespace condenser::nn
