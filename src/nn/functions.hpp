#pragma once
// Operators with kernels of their own, as autograd functions.

#include <ATen/core/Tensor.h>

#include <memory>

#include "nn/conv_kernels.hpp"

namespace condenser::nn {

using ConvPlan = std::shared_ptr<const ConvGeometry>;

// Convolution without clamp. x: [n, in.c, in.h, in.w]; weight: [out, in/g, kh, kw]; bias: [out], undefined unless the
// operator has one. Returns [n, out.c, out.h, out.w], contiguous.
at::Tensor convolution(const ConvPlan&, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// x: [n, in], weight: [out, in], bias: [out] or undefined. Returns [n, out].
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// Average pool 2x2, stride 2, odd sizes floored: the anti-aliased down-sampling of column networks.
at::Tensor halve(const at::Tensor& x);

// Squeeze-excite: [n, c, h, w] -> means [n, c, 1, 1], and x times one factor [n, c, 1, 1] per plane.
at::Tensor plane_means(const at::Tensor& x);
at::Tensor scale_planes(const at::Tensor& x, const at::Tensor& factor);

at::Tensor max_pool(const arch::MaxPool&, const at::Tensor& x);
at::Tensor upsample(const arch::Upsample&, const at::Tensor& x);

}  // namespace condenser::nn
