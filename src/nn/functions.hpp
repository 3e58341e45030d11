#pragma once
// Operators with kernels of their own, as autograd functions: convolution without bias and the halving average pool.

#include <ATen/core/Tensor.h>

#include "nn/conv_kernels.hpp"

namespace condenser::nn {

// Strided convolutions with unequal padding have no gradient here: see has_gradient().
bool has_gradient(const arch::Conv2d&);
// x: [n, in.c, in.h, in.w]; weight: [out, in/g, kh, kw]. Returns [n, out.c, out.h, out.w], contiguous.
at::Tensor convolution(const ConvGeometry&, const at::Tensor& x, const at::Tensor& weight);

// Average pool 2x2, stride 2, odd sizes floored: the anti-aliased down-sampling of column networks.
at::Tensor halve(const at::Tensor& x);

}  // namespace condenser::nn
