// Random weights and inputs; comparison of outputs.

#include "support/lively.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/rng.hpp"

namespace condenser::testing {

std::vector<float> random_floats(int64_t count, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = static_cast<float>(rng.normal());
  return values;
}

arch::Weights lively_weights(const arch::Spec& spec, uint64_t seed) {
  arch::Weights weights = arch::random_weights(spec, seed);
  core::Rng rng(seed + 1);
  for (auto& [name, tensor] : weights.tensors) {
    const bool positive = name.ends_with("running_var");
    if (tensor.shape.size() > 1) continue;
    for (float& v : tensor.f32()) v = static_cast<float>(positive ? rng.uniform(0.3, 2.0) : 0.8 + 0.5 * rng.normal());
  }
  return weights;
}

Difference difference(const std::vector<float>& a, const std::vector<float>& b) {
  Difference result;
  bool comparable = a.size() == b.size();
  for (size_t i = 0; comparable && i < a.size(); ++i) {
    comparable = std::isfinite(a[i]) && std::isfinite(b[i]);
    result.largest = std::max(result.largest, std::abs(double{a[i]} - double{b[i]}));
    result.output_scale = std::max(result.output_scale, std::abs(double{b[i]}));
  }
  if (!comparable) result.largest = std::numeric_limits<double>::infinity();
  return result;
}

}  // namespace condenser::testing
