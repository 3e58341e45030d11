#pragma once
// The two matrix products of convolution, for every instruction set.

#include <cstdint>
#include <vector>

namespace condenser::nn {

// Pixels of a product as vectors: offsets in every source and in every output plane. The last vector of a row begins
// `overlap` lanes early.
struct Tiling {
  struct Tile {
    int64_t from, to;
  };
  int lanes = 1, registers = 16;  // (16, 32), (8, 32), (8, 16), (4, 16) or (1, 16)
  std::vector<Tile> whole, last;  // `last` ones overlap
  int64_t overlap = 0;
  double cost = 0;  // of all tiles, in vectors of the widest kind
};

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

}  // namespace condenser::nn
