// Running statistics as scale and shift, in double: fusing sums several of them.

#include "arch/affine.hpp"

#include <cmath>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::arch {
namespace {

void check_finite(const std::string& node, size_t channel, float mean, float variance, double scale, double shift) {
  if (std::isfinite(scale) && std::isfinite(shift)) return;
  throw core::Error("weights: channel " + std::to_string(channel) + " of batch norm " + node + " has variance " +
                    core::number(variance) + ", mean " + core::number(mean) +
                    ", which give no finite scale and shift; has training diverged?");
}

}  // namespace

Affine affine_of(const Weights& weights, const std::string& node, double eps) {
  const auto gamma = weights.at(node + ".weight").f32(), beta = weights.at(node + ".bias").f32();
  const auto mean = weights.at(node + ".running_mean").f32(), variance = weights.at(node + ".running_var").f32();
  Affine result;
  for (size_t c = 0; c < gamma.size(); ++c) {
    const double scale = double{gamma[c]} / std::sqrt(double{variance[c]} + eps);
    const double shift = double{beta[c]} - double{mean[c]} * scale;
    check_finite(node, c, mean[c], variance[c], scale, shift);
    result.scale.push_back(scale);
    result.shift.push_back(shift);
  }
  return result;
}

}  // namespace condenser::arch
