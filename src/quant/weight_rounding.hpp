#pragma once
// Weights and biases of one convolution or linear as integers. Ranges of activations come from calibrate.hpp.

#include <span>
#include <string>
#include <vector>

#include "condenser/arch/shape.hpp"
#include "condenser/arch/weights.hpp"
#include "quant/patch_moments.hpp"

namespace condenser::quant {

// A convolution or linear seen as rows: output channel o is a dot product of `taps` weights with a patch of its group.
struct WeightRows {
  std::string node;
  int64_t rows = 0, taps = 0;
  std::span<const float> weight;  // [rows, taps]
  std::vector<float> bias;        // [rows]; zeros where the node has none
  int bits = 8;                   // of a weight: 8 or 4
};

// Symmetric: max|w| -> 127; of 4 bits, of least squared error up to there. Raised where the bias would not fit an int32
// beside the products (bias / (input * scale) stays below 2^30; a product sum stays far below), so a channel of zeros
// gets a scale fit for its bias.
std::vector<double> weight_scales(const WeightRows&, double input_scale);

// [rows, taps] in [-127, 127], of 4 bits multiples of 16: each weight by itself, to nearest.
std::vector<int8_t> round_weights(const WeightRows&, std::span<const double> scales);

// The same, but each weight takes on what rounding those before it did to the output, in the mean over the patches that
// `moments` was made of: least squares, one weight after the other (Frantar et al. 2022, GPTQ, arXiv 2210.17323,
// section 3, after Hassibi and Stork's Optimal Brain Surgeon). `about_mean`: the mean is somebody else's business (the
// bias).
std::vector<int8_t> learn_weights(const WeightRows&, std::span<const double> scales, const PatchMoments& moments,
                                  bool about_mean);

// [rows], in units of input scale * weight scale. `correction` is subtracted, one real value per row; empty: none.
std::vector<int32_t> round_biases(const WeightRows&, std::span<const double> scales, double input_scale,
                                  std::span<const double> correction);

// Mean over output positions of the patch that each row sees, [groups, taps], given the mean input image [c, h, w].
// As a convolution is linear, weights times this patch is the exact mean of its output, padding included.
std::vector<double> mean_patches(const arch::Op&, const arch::Shape& input, const arch::Shape& output,
                                 std::span<const double> mean_image);

// Mean error of each row whose weights became `rounded` times `scales`: (rounded - exact) times the mean patch.
// Subtracting it from the bias is the empirical bias correction of Nagel et al., "Data-free quantization", arXiv
// 1906.04721, 4.2.
std::vector<double> mean_errors(const WeightRows&, std::span<const int8_t> rounded, std::span<const double> scales,
                                std::span<const double> patches, int64_t groups);

}  // namespace condenser::quant
