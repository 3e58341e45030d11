#pragma once
// Pixels as vectors of the processor.

#include <cstdint>
#include <string>
#include <vector>

namespace condenser::nn {

// The widest instruction set that kernels use: what the processor has, or less when limited (tests run all).
enum class Simd { Baseline, Avx2, Avx512 };
Simd simd();
void limit_simd(Simd most);

// The kernels that are chosen on this processor, in words: equal words, equal bits. "avx512", "avx512 in halves",
// "avx2", "baseline". The environment variable CONDENSER_KERNELS = baseline, avx2 or avx512 limits them, for
// measurements and to go on with a run of another processor.
std::string kernel_set();

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

// Rows of `width` pixels, `from_row` floats apart in the sources and `to_row` in the output. Of the vectors that the
// processor has, those that do the least work.
Tiling make_tiling(int64_t rows, int64_t width, int64_t from_row, int64_t to_row);

}  // namespace condenser::nn
