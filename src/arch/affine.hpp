#pragma once
// What a batch norm computes once its statistics are frozen.

#include <string>
#include <vector>

#include "condenser/arch/weights.hpp"

namespace condenser::arch {

// y = scale * x + shift per channel, with scale = gamma / sqrt(var + eps) and shift = beta - mean * scale (Ioffe and
// Szegedy 2015, arXiv 1502.03167, section 3.1).
struct Affine {
  std::vector<double> scale, shift;
};

// Of the batch norm `node`. Throws core::Error when a scale or shift is not finite.
Affine affine_of(const Weights&, const std::string& node, double eps);

}  // namespace condenser::arch
