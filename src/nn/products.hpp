#pragma once
// The two matrix products that convolutions and linear layers are made of, for every instruction set.

#include <cstddef>
#include <vector>

#include "nn/tiling.hpp"

namespace condenser::nn {

// Y[c][tile] = bias[c] + sum_j weights[c][j] * source_j[tile] for one group and image.
struct Product {
  const float* const* sources;
  int64_t source_offset;  // of all sources
  int64_t count;          // of sources
  const float* weights;   // a block of channels after the other, see block_ends(); each [count][channels of the block]
  const float* bias;      // [channels], may be null: zeros
  int64_t channels;
  const Tiling* tiling;
  float* out;
  int64_t out_plane;  // floats between output planes
};

// d_weight[c][j] += sum over images and tiles of dy[c][tile] * source_j[tile].
struct WeightProduct {
  const float* dy;
  int64_t dy_image, dy_plane;
  const float* const* sources;  // of the first image
  int64_t source_image, count;
  int64_t channels, images;
  const Tiling* tiling;
  float* d_weight;  // rows of `count`
};

void multiply(const Product&);
void add_weight_product(const WeightProduct&);

// Ends of the blocks of channels that a product works on at once.
std::vector<int64_t> block_ends(const Tiling&, int64_t channels);

// Writes one of these blocks in the order of Product::weights; `weights` are those of all, `weight_of(channel, source)`
// gives the values.
template <class WeightOf>
void arrange_block(const std::vector<int64_t>& ends, int64_t block, int64_t count, const WeightOf& weight_of,
                   float* weights) {
  const int64_t begin = block > 0 ? ends[static_cast<size_t>(block - 1)] : 0, end = ends[static_cast<size_t>(block)];
  weights += begin * count;
  for (int64_t j = 0; j < count; ++j)
    for (int64_t c = begin; c < end; ++c) *weights++ = weight_of(c, j);
}

}  // namespace condenser::nn
