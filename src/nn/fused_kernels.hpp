#pragma once
// Loops of the fused normalization steps, on planes [images, channels, pixels]. Pure functions on plain floats;
// threads, statistics of the whole batch and autograd are left to fused.cpp.

#include <cstdint>

namespace condenser::nn {

// What follows the normalization.
enum class Squash { Identity, Relu, Relu6, Silu, Sigmoid, HardSwish, HardSigmoid, Tanh };

struct PlaneShape {
  int64_t images = 0, channels = 0, pixels = 0;
};

// One operand: z = scale * x + shift; `center` is the mean that gradient sums are taken around. All but x: [channels].
struct PlaneOperand {
  const float* x = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* center = nullptr;
};

// sums[c] += x - pivot[c]; squares[c] += (x - pivot[c])^2
void moments(const float* x, const PlaneShape&, const float* pivot, float* sums, float* squares);

// The gate works on blocks of so many pixels; its scratch holds a block of every channel.
constexpr int64_t kGateBlock = 64;

// y = f(z)
void squash_forward(Squash, const PlaneOperand&, const PlaneShape&, float* y);
// y = f(za + zb)
void add_forward(Squash, const PlaneOperand& a, const PlaneOperand& b, const PlaneShape&, float* y);
// y = f(softmax over channels(za) * zb)
void gate_forward(Squash, const PlaneOperand& a, const PlaneOperand& b, const PlaneShape&, float* scratch, float* y);

// Gradients with respect to z, and the two sums per channel that batch norm's backward needs:
// sums[c] += dz, products[c] += dz * (x - center[c]).
struct PlaneSums {
  float* sums = nullptr;
  float* products = nullptr;
};
void squash_backward(Squash, const PlaneOperand&, const float* dy, const PlaneShape&, float* dz, PlaneSums);
// dz is the same for both operands, and so are its sums.
void add_backward(Squash, const PlaneOperand& a, const PlaneOperand& b, const float* dy, const PlaneShape&, float* dz,
                  PlaneSums sums_a, float* products_b);
void gate_backward(Squash, const PlaneOperand& a, const PlaneOperand& b, const float* dy, const PlaneShape&,
                   float* scratch, float* dza, float* dzb, PlaneSums sums_a, PlaneSums sums_b);

// out = p * dz + q * x + r; out may be dz.
void affine(const float* dz, const float* x, const PlaneShape&, const float* p, const float* q, const float* r,
            float* out);

}  // namespace condenser::nn
