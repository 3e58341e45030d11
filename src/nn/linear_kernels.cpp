// Which array is which operand of a product.
#include "nn/linear_kernels.hpp"

#include <algorithm>
#include <vector>

#include "nn/products.hpp"

namespace condenser::nn {
namespace {

std::vector<const float*> rows_of(const float* matrix, int64_t rows, int64_t columns) {
  std::vector<const float*> found;
  for (int64_t i = 0; i < rows; ++i) found.push_back(matrix + i * columns);
  return found;
}

// out[c] = sum over j of weight_of(c, j) * row j of `matrix`, all of `features`.
template <class WeightOf>
void combine_rows(const float* matrix, int64_t rows, int64_t features, int64_t channels, const WeightOf& weight_of,
                  float* out) {
  const auto sources = rows_of(matrix, rows, features);
  const Tiling tiling = make_tiling(1, features, features, features);
  std::vector<float> weights(static_cast<size_t>(channels * rows));
  const auto ends = block_ends(tiling, channels);
  for (size_t b = 0; b < ends.size(); ++b)
    arrange_block(ends, static_cast<int64_t>(b), rows, weight_of, weights.data());
  multiply({.sources = sources.data(),
            .source_offset = 0,
            .count = rows,
            .weights = weights.data(),
            .bias = nullptr,
            .channels = channels,
            .tiling = &tiling,
            .out = out,
            .out_plane = features});
}

}  // namespace

void linear_forward(const LinearShape& s, const float* x, const float* weight, const float* bias, int64_t images,
                    float* y) {
  for (int64_t i = 0; i < images; ++i)
    if (bias != nullptr)
      std::copy(bias, bias + s.out, y + i * s.out);
    else
      std::fill(y + i * s.out, y + (i + 1) * s.out, 0.0f);
  const auto sources = rows_of(weight, s.out, s.in);
  const Tiling tiling = make_tiling(1, s.in, s.in, s.in);
  add_weight_product({.dy = x,  // y[image][out] += sum over pixels, which are features, of x[image] * row `out`
                      .dy_image = 0,
                      .dy_plane = s.in,
                      .sources = sources.data(),
                      .source_image = 0,
                      .count = s.out,
                      .channels = images,
                      .images = 1,
                      .tiling = &tiling,
                      .d_weight = y});
}

void linear_input_gradient(const LinearShape& s, const float* dy, const float* weight, int64_t images, float* dx) {
  combine_rows(
      weight, s.out, s.in, images, [&](int64_t image, int64_t j) { return dy[image * s.out + j]; }, dx);
}

void linear_weight_gradient(const LinearShape& s, const float* x, const float* dy, int64_t images, int64_t first,
                            int64_t count, float* d_weight) {
  const auto weight_of = [&](int64_t row, int64_t image) { return dy[image * s.out + first + row]; };
  combine_rows(x, images, s.in, count, weight_of, d_weight + first * s.in);
}

}  // namespace condenser::nn
