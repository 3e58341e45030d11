#pragma once
// Linear layers y = x W^T + b as the products of products.hpp, with input features as vector lanes: rows of W and of x
// are used where they are. Threads and autograd are left to functions.cpp. Arrays are dense, rows of features.

#include <cstdint>

namespace condenser::nn {

struct LinearShape {
  int64_t in = 0, out = 0;
};

// x: [images, in], weight: [out, in], bias: [out] or null -> y: [images, out]
void linear_forward(const LinearShape&, const float* x, const float* weight, const float* bias, int64_t images,
                    float* y);

// dx: [images, in], from dy: [images, out]
void linear_input_gradient(const LinearShape&, const float* dy, const float* weight, int64_t images, float* dx);

// Rows first .. first + count - 1 of d_weight: [out, in]
void linear_weight_gradient(const LinearShape&, const float* x, const float* dy, int64_t images, int64_t first,
                            int64_t count, float* d_weight);

}  // namespace condenser::nn
