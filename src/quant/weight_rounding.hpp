#pragma once
// Weights and biases of one convolution or linear as integers. Ranges of activations come from calibrate.hpp.

#include <span>
#include <string>
#include <vector>

#include "condenser/arch/shape.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::quant {

// A convolution or linear seen as rows: output channel o is a dot product of `taps` weights with a patch of its group.
struct WeightRows {
  std::string node;
  int64_t rows = 0, taps = 0;
  std::span<const float> weight;  // [rows, taps]
  std::vector<float> bias;        // [rows]; zeros where the node has none
};

// Symmetric: max|w| -> 127. Raised where the bias would not fit an int32 beside the products (bias / (input * scale)
// stays below 2^30; a product sum stays far below), so a channel of zeros gets a scale fit for its bias.
std::vector<double> weight_scales(const WeightRows&, double input_scale);

struct RoundedRows {
  std::vector<int8_t> weight;  // [rows, taps] in [-127, 127]
  std::vector<int32_t> bias;   // [rows], in units of input scale * weight scale
};

// `correction` is subtracted from the bias, one real value per row; empty: none.
RoundedRows round_rows(const WeightRows&, std::span<const double> scales, double input_scale,
                       std::span<const double> correction);

// Mean over output positions of the patch that each row sees, [groups, taps], given the mean input image [c, h, w].
// As a convolution is linear, weights times this patch is the exact mean of its output, padding included.
std::vector<double> mean_patches(const arch::Op&, const arch::Shape& input, const arch::Shape& output,
                                 std::span<const double> mean_image);

// Mean error of each row when weights are rounded with `scales`: (rounded - exact) times the mean patch. Subtracting it
// from the bias is the empirical bias correction of Nagel et al., "Data-free quantization", arXiv 1906.04721, 4.2.
std::vector<double> mean_errors(const WeightRows&, std::span<const double> scales, std::span<const double> patches,
                                int64_t groups);

}  // namespace condenser::quant
