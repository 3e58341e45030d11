#pragma once
// Convolution on planes [c, h, w]: vector lanes are neighbouring pixels, so that a column of four channels is as fast
// as one of forty. Threads and autograd are left to functions.cpp.
//
// Every convolution is a matrix product: Y[o][pixel] = sum_j W[o][j] * source_j[pixel], where j runs over the input
// channels of the group and the taps of the kernel, and source_j is an input plane moved by the tap. To move planes by
// adding an offset, rows are stored with zeros between them (packed planes); a stride s takes every s-th row and column
// into a plane of its own. The gradient with respect to the input is such a product too, one for each of the s * s
// phases of the input's pixels: with padded row P = s q + r, dx[P] = sum_m w[s m + r] dy[q - m].

#include <cstdint>
#include <vector>

#include "condenser/arch/ops.hpp"
#include "nn/products.hpp"

namespace condenser::nn {

// An offset in a packed plane, and the tap of the kernel that reads there.
struct Tap {
  int64_t offset, index;
};

// Input pixels that share the taps which reach them.
struct GradientPhase {
  int64_t top = 0, left = 0, rows = 0, columns = 0;  // first row and column of the input; then every stride-th
  std::vector<Tap> taps;                             // none: these pixels are read by nobody
  Tiling tiling;
  int64_t product_row = 0;  // floats between rows of the product
  bool in_place = false;    // the product is the plane of the gradient
};

struct ConvGeometry {
  arch::Shape in, out;
  arch::Conv2d op;
  bool direct = false;  // 1x1, stride 1, no padding: planes are used as they are
  // Packed input: a plane for each of stride.h * stride.w phases of each channel.
  int64_t row = 0, plane = 0, phases = 1;
  std::vector<Tap> taps;
  Tiling tiling;
  bool by_grid = false;  // rows fill vectors badly: products run through rows and the zeros between them
  int64_t grid = 0;      // pixels of that
  // Packed gradient of the output.
  int64_t d_row = 0, d_plane = 0, d_first = 0;
  std::vector<GradientPhase> gradient;

  int64_t in_group() const { return in.c / op.groups; }
  int64_t out_group() const { return out.c / op.groups; }
  int64_t kernel() const { return int64_t{op.kernel.h} * op.kernel.w; }
  int64_t sources() const { return in_group() * kernel(); }
  int64_t weights() const { return out.c * in_group() * kernel(); }
};

ConvGeometry conv_geometry(const arch::Shape& in, const arch::Conv2d&);

// Weights in the order in which the products read them, as many floats as `weight`. Made in `parts` that threads may
// share: part 0 .. parts - 1.
int64_t forward_weight_parts(const ConvGeometry&);
void forward_weights(const ConvGeometry&, const float* weight, int64_t part, float* weights);
int64_t gradient_weight_parts(const ConvGeometry&);
void gradient_weights(const ConvGeometry&, const float* weight, int64_t part, float* weights);

// x: [images, in.c, in.h, in.w] -> y: [images, out.c, out.h, out.w], without clamp. `weights` are forward_weights;
// `bias` is [out.c] or null.
void conv_forward(const ConvGeometry&, const float* x, const float* weights, const float* bias, int64_t images,
                  float* y);

// dx: gradient with respect to x. `weights` are gradient_weights.
void conv_input_gradient(const ConvGeometry&, const float* dy, const float* weights, int64_t images, float* dx);

// Output channels first .. first + count - 1 of group `group`.
struct ChannelRange {
  int64_t group = 0, first = 0, count = 0;
};
// d_weight[i] += gradient of the images given; the whole of it, or that of some output channels.
void conv_weight_gradient(const ConvGeometry&, const float* x, const float* dy, int64_t images, float* d_weight);
void conv_weight_gradient(const ConvGeometry&, const float* x, const float* dy, int64_t images, const ChannelRange&,
                          float* d_weight);

}  // namespace condenser::nn
