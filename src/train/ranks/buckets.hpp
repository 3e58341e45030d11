#pragma once
// Pieces of the gradient block that are summed over ranks one by one. No LibTorch here.

#include "condenser/nn/weights_bridge.hpp"

namespace condenser::train {

struct Bucket {
  int64_t offset = 0, size = 0;  // floats of the gradient block
  int parameters = 0;            // that lie in it
};

// Contiguous pieces of whole parameters that cover [0, trainable_size), the last one first: the backward pass finishes
// the end of the network first. A piece is closed by the parameter that brings it to `bytes` or more.
std::vector<Bucket> plan_buckets(const nn::BlockLayout&, int64_t bytes);

}  // namespace condenser::train
