#pragma once
// Weights <-> one flat block of floats. A network trains on one block, so that optimizer, averaging and checkpoints are
// single loops. No LibTorch here.

#include <span>
#include <string>
#include <vector>

#include "condenser/arch/weights.hpp"

namespace condenser::nn {

// One parameter in the block.
struct Segment {
  std::string name;  // "<node>.<param>"
  std::vector<int64_t> shape;
  int64_t offset = 0, size = 0;  // in floats; offsets are multiples of 16 (64 bytes), gaps hold zeros
  bool trainable = true;         // false: running statistics
  int64_t groups = 1;            // a kernel [out, in / groups, h, w] holds so many matrices
  bool decay = false;            // weight decay applies: matrices and kernels, not biases and batch norm
};

// Trainable segments come first: [0, trainable_size) is what an optimizer sees.
struct BlockLayout {
  std::vector<Segment> segments;
  int64_t trainable_size = 0;
  int64_t size = 0;
};

BlockLayout block_layout(const arch::Spec&);

// Strict on names and shapes (arch::check_weights).
void copy_to_block(const arch::Spec&, const BlockLayout&, const arch::Weights&, std::span<float> block);

// Every segment that lies inside `block` (a block of trainable_size gives the trainable ones).
arch::Weights copy_from_block(const BlockLayout&, std::span<const float> block);

}  // namespace condenser::nn
