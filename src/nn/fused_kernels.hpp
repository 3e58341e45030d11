#pragma once
// Loops of the fused normalization steps, on rows of channels (channels-last). Pure functions on plain floats; threads,
// statistics of the whole batch and autograd are left to fused.cpp.
//
// Per-channel coefficients are given repeated to a tile of `tile` floats (a multiple of the channel count), so that one
// long inner loop runs over memory in order whatever the number of channels; sums come back per tile position. `count`
// is the number of floats and a multiple of the channel count.

#include <cstdint>

namespace condenser::nn {

// What follows the normalization.
enum class Squash { Identity, Relu, Relu6, Silu, Sigmoid, HardSwish, HardSigmoid, Tanh };

// One operand: z = scale * x + shift; `center` is the mean that gradient sums are taken around.
struct TiledOperand {
  const float* x = nullptr;
  const float* scale = nullptr;   // [tile]
  const float* shift = nullptr;   // [tile]
  const float* center = nullptr;  // [tile]
};

// sums[t] += x - pivot[t]; squares[t] += (x - pivot[t])^2
void moments(const float* x, int64_t count, int64_t tile, const float* pivot, float* sums, float* squares);

// y = f(z)
void squash_forward(Squash, const TiledOperand&, int64_t count, int64_t tile, float* y);
// y = f(za + zb)
void add_forward(Squash, const TiledOperand& a, const TiledOperand& b, int64_t count, int64_t tile, float* y);
// y = f(softmax over channels(za) * zb); `row` is scratch of `channels` floats
void gate_forward(Squash, const TiledOperand& a, const TiledOperand& b, int64_t count, int64_t channels, float* row,
                  float* y);

// Gradients with respect to z, and the two sums per operand that batch norm's backward needs:
// sums[t] += dz, products[t] += dz * (x - center[t]).
struct TiledSums {
  float* sums = nullptr;
  float* products = nullptr;
};
void squash_backward(Squash, const TiledOperand&, const float* dy, int64_t count, int64_t tile, float* dz, TiledSums);
// dz is the same for both operands, and so are its sums.
void add_backward(Squash, const TiledOperand& a, const TiledOperand& b, const float* dy, int64_t count, int64_t tile,
                  float* dz, TiledSums sums_a, float* products_b);
// `rows` is scratch of 2 * channels floats; the sums are per channel.
void gate_backward(Squash, const TiledOperand& a, const TiledOperand& b, const float* dy, int64_t count,
                   int64_t channels, float* rows, float* dza, float* dzb, TiledSums sums_a, TiledSums sums_b);

// out = p * dz + q * x + r; out may be dz.
void affine(const float* dz, const float* x, int64_t count, int64_t tile, const float* p, const float* q,
            const float* r, float* out);

}  // namespace condenser::nn
