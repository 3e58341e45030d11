// Per-channel symmetric rounding of weights, int32 biases, and the mean error that rounding makes.
#include "quant/weight_rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/error.hpp"

namespace condenser::quant {
namespace {

constexpr double kMinWeightScale = 1e-8;
constexpr double kMaxBias = 1073741824.0;  // 2^30: half of int32 is left to the products

int8_t round_weight(float w, double scale) {
  return static_cast<int8_t>(std::clamp(std::round(static_cast<double>(w) / scale), -127.0, 127.0));
}

std::span<const float> row(const WeightRows& rows, int64_t o) {
  return rows.weight.subspan(static_cast<size_t>(o * rows.taps), static_cast<size_t>(rows.taps));
}

std::vector<double> conv_patches(const arch::Conv2d& op, const arch::Shape& in, const arch::Shape& out,
                                 std::span<const double> image) {
  std::vector<double> patches;
  for (int64_t c = 0; c < in.c; ++c) {  // [groups, taps] is [channels, kernel] when groups are consecutive channels
    for (int ky = 0; ky < op.kernel.h; ++ky) {
      for (int kx = 0; kx < op.kernel.w; ++kx) {
        double sum = 0;
        for (int64_t oy = 0; oy < out.h; ++oy) {
          const int64_t y = oy * op.stride.h + ky - op.pad.top;
          if (y < 0 || y >= in.h) continue;
          for (int64_t ox = 0; ox < out.w; ++ox) {
            const int64_t x = ox * op.stride.w + kx - op.pad.left;
            if (x >= 0 && x < in.w) sum += image[static_cast<size_t>((c * in.h + y) * in.w + x)];
          }
        }
        patches.push_back(sum / static_cast<double>(out.h * out.w));
      }
    }
  }
  return patches;
}

}  // namespace

std::vector<double> weight_scales(const WeightRows& rows, double input_scale) {
  std::vector<double> scales;
  for (int64_t o = 0; o < rows.rows; ++o) {
    double largest = 0;
    for (float w : row(rows, o)) {
      if (!std::isfinite(w)) throw core::Error("node " + rows.node + ": a weight is NaN or infinite; cannot quantize");
      largest = std::max(largest, std::abs(static_cast<double>(w)));
    }
    const double bias = rows.bias[static_cast<size_t>(o)];
    if (!std::isfinite(bias)) throw core::Error("node " + rows.node + ": a bias is NaN or infinite; cannot quantize");
    scales.push_back(std::max({largest / 127.0, std::abs(bias) / (input_scale * kMaxBias), kMinWeightScale}));
  }
  return scales;
}

RoundedRows round_rows(const WeightRows& rows, std::span<const double> scales, double input_scale,
                       std::span<const double> correction) {
  RoundedRows result;
  for (int64_t o = 0; o < rows.rows; ++o) {
    const auto i = static_cast<size_t>(o);
    for (float w : row(rows, o)) result.weight.push_back(round_weight(w, scales[i]));
    const double bias = rows.bias[i] - (correction.empty() ? 0.0 : correction[i]);
    const double limit = std::numeric_limits<int32_t>::max();
    result.bias.push_back(
        static_cast<int32_t>(std::clamp(std::round(bias / (input_scale * scales[i])), -limit, limit)));
  }
  return result;
}

std::vector<double> mean_patches(const arch::Op& op, const arch::Shape& in, const arch::Shape& out,
                                 std::span<const double> mean_image) {
  if (const auto* conv = std::get_if<arch::Conv2d>(&op)) return conv_patches(*conv, in, out, mean_image);
  return {mean_image.begin(), mean_image.end()};  // linear: the input is the patch
}

std::vector<double> mean_errors(const WeightRows& rows, std::span<const double> scales, std::span<const double> patches,
                                int64_t groups) {
  std::vector<double> errors;
  for (int64_t o = 0; o < rows.rows; ++o) {
    const double scale = scales[static_cast<size_t>(o)];
    const std::span<const float> weight = row(rows, o);
    const auto first = static_cast<size_t>(o / (rows.rows / groups) * rows.taps);
    double error = 0;
    for (size_t k = 0; k < weight.size(); ++k) {
      error += (scale * round_weight(weight[k], scale) - static_cast<double>(weight[k])) * patches[first + k];
    }
    errors.push_back(error);
  }
  return errors;
}

}  // namespace condenser::quant
