// Per-channel symmetric rounding of weights, int32 biases, and the mean error that rounding makes.
#include "quant/weight_rounding.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/error.hpp"

namespace condenser::quant {
namespace {

constexpr double kMinWeightScale = 1e-8;
constexpr double kMaxBias = 1073741824.0;  // 2^30: half of int32 is left to the products

// What a weight may be, in units of its scale: multiples of `step` up to `most`. Those of 4 bits are the upper half of
// 8 bits, so that all arithmetic behind them is the same.
struct Grid {
  double step, most;
};
Grid grid_of(int bits) { return bits == 4 ? Grid{16, 112} : Grid{1, 127}; }

int8_t round_weight(float w, double scale, const Grid& grid) {
  const double steps = std::round(static_cast<double>(w) / (scale * grid.step));
  return static_cast<int8_t>(std::clamp(steps * grid.step, -grid.most, grid.most));
}

std::span<const float> row(const WeightRows& rows, int64_t o) {
  return rows.weight.subspan(static_cast<size_t>(o * rows.taps), static_cast<size_t>(rows.taps));
}

// U of U^T U = (moments + damping)^-1, upper triangular: how an error of one weight is best shared among those after
// it. Empty where there is no moment at all.
Eigen::MatrixXd inverse_spread(Eigen::MatrixXd moments) {
  constexpr double kDamping = 0.01;  // of the mean of the diagonal, as in GPTQ
  const double mean = moments.diagonal().mean();
  if (!(mean > 0) || !std::isfinite(mean)) return {};
  moments.diagonal().array() += kDamping * mean;
  const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(moments.rows(), moments.cols());
  return moments.llt().solve(one).llt().matrixU();
}

// Where few steps reach from zero to the largest weight, cutting that one off may cost less than rounding all others
// more coarsely.
double least_error_scale(std::span<const float> weights, double largest, const Grid& grid) {
  double best = largest / grid.most, least = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent >= 50; percent -= 5) {
    const double scale = std::max(largest * percent / (100 * grid.most), kMinWeightScale);
    double error = 0;
    for (const float w : weights) {
      const double e = scale * round_weight(w, scale, grid) - static_cast<double>(w);
      error += e * e;
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
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
    const double scale =
        rows.bits == 8 ? largest / 127.0 : least_error_scale(row(rows, o), largest, grid_of(rows.bits));
    scales.push_back(std::max({scale, std::abs(bias) / (input_scale * kMaxBias), kMinWeightScale}));
  }
  return scales;
}

std::vector<int8_t> round_weights(const WeightRows& rows, std::span<const double> scales) {
  std::vector<int8_t> rounded;
  for (int64_t o = 0; o < rows.rows; ++o)
    for (const float w : row(rows, o))
      rounded.push_back(round_weight(w, scales[static_cast<size_t>(o)], grid_of(rows.bits)));
  return rounded;
}

std::vector<int8_t> learn_weights(const WeightRows& rows, std::span<const double> scales, const PatchMoments& moments,
                                  bool about_mean) {
  std::vector<int8_t> rounded = round_weights(rows, scales);
  const int64_t of_group = rows.rows / moments.groups();
  for (int64_t g = 0; g < moments.groups(); ++g) {
    const Eigen::MatrixXd spread = inverse_spread(moments.moments(g, about_mean));
    if (spread.size() == 0) continue;  // nothing was ever seen: nearest is as good
    for (int64_t o = g * of_group; o < (g + 1) * of_group; ++o) {
      const std::span<const float> exact = row(rows, o);
      const double scale = scales[static_cast<size_t>(o)];
      Eigen::VectorXd w = Eigen::Map<const Eigen::VectorXf>(exact.data(), rows.taps).cast<double>();
      for (int64_t k = 0; k < rows.taps; ++k) {
        const int8_t q = round_weight(static_cast<float>(w[k]), scale, grid_of(rows.bits));
        rounded[static_cast<size_t>(o * rows.taps + k)] = q;
        const double error = (w[k] - scale * q) / spread(k, k);
        w.tail(rows.taps - k) -= error * spread.row(k).tail(rows.taps - k).transpose();
      }
    }
  }
  return rounded;
}

std::vector<int32_t> round_biases(const WeightRows& rows, std::span<const double> scales, double input_scale,
                                  std::span<const double> correction) {
  std::vector<int32_t> rounded;
  for (size_t i = 0; i < rows.bias.size(); ++i) {
    const double bias = rows.bias[i] - (correction.empty() ? 0.0 : correction[i]);
    const double limit = std::numeric_limits<int32_t>::max();
    rounded.push_back(static_cast<int32_t>(std::clamp(std::round(bias / (input_scale * scales[i])), -limit, limit)));
  }
  return rounded;
}

std::vector<double> mean_patches(const arch::Op& op, const arch::Shape& in, const arch::Shape& out,
                                 std::span<const double> mean_image) {
  if (const auto* conv = std::get_if<arch::Conv2d>(&op)) return conv_patches(*conv, in, out, mean_image);
  return {mean_image.begin(), mean_image.end()};  // linear: the input is the patch
}

std::vector<double> mean_errors(const WeightRows& rows, std::span<const int8_t> rounded, std::span<const double> scales,
                                std::span<const double> patches, int64_t groups) {
  std::vector<double> errors;
  for (int64_t o = 0; o < rows.rows; ++o) {
    const double scale = scales[static_cast<size_t>(o)];
    const std::span<const float> weight = row(rows, o);
    const auto first = static_cast<size_t>(o / (rows.rows / groups) * rows.taps);
    double error = 0;
    for (size_t k = 0; k < weight.size(); ++k) {
      const int8_t q = rounded[static_cast<size_t>(o * rows.taps) + k];
      error += (scale * q - static_cast<double>(weight[k])) * patches[first + k];
    }
    errors.push_back(error);
  }
  return errors;
}

}  // namespace condenser::quant
