#pragma once
// Muon (K. Jordan et al. 2024): momentum made orthogonal, so that every direction of a matrix moves equally far.

#include "condenser/nn/weights_bridge.hpp"

namespace condenser::train {

struct MuonCoefficients {
  float lr, momentum, keep;  // keep: factor on the value, decoupled decay
};

// A kernel [out, in / groups, h, w] is one matrix [out / groups, in / groups h w] per group. With b = momentum:
//   m = b m + (1 - b) g;  u = orthogonal((1 - b) g + b m);  value = keep value - lr 0.2 sqrt(max(rows, columns)) u
// The factor gives u the size of an AdamW step, so that both take one learning rate (Liu et al., arXiv 2502.16982).
// Sets the gradient to zero.
void muon(const MuonCoefficients&, const nn::Segment&, float* value, float* gradient, float* velocity);

// About U V^T for the singular value decomposition U S V^T of the [rows, columns] matrix, in place: five steps of a
// Newton-Schulz iteration that brings singular values near 1 (0.7 to 1.2).
void orthogonalize(float* matrix, int64_t rows, int64_t columns);

}  // namespace condenser::train
