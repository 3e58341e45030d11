// Cross-entropy with label smoothing (Szegedy et al., arXiv 1512.00567) on plain floats: tens of numbers per image.
#include "train/loss.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "condenser/core/error.hpp"

namespace condenser::train {

LossSum cross_entropy(std::span<const float> logits, std::span<const int64_t> labels, int64_t classes, double smoothing,
                      std::span<float> gradient, std::span<int64_t> predictions) {
  LossSum out;
  const auto n = static_cast<int64_t>(labels.size());
  const double even = smoothing / static_cast<double>(classes);
  std::vector<double> exps(static_cast<size_t>(classes));
  for (int64_t i = 0; i < n; ++i) {
    const float* row = logits.data() + i * classes;
    const int64_t label = labels[static_cast<size_t>(i)];
    if (label < 0 || label >= classes)
      throw core::Error("label " + std::to_string(label) + " of a sample; expected 0.." + std::to_string(classes - 1));
    int64_t best = 0;
    double total = 0, sum = 0;
    for (int64_t k = 1; k < classes; ++k)
      if (row[k] > row[best]) best = k;
    for (int64_t k = 0; k < classes; ++k) {
      exps[static_cast<size_t>(k)] = std::exp(static_cast<double>(row[k]) - row[best]);
      total += exps[static_cast<size_t>(k)];
      sum += row[k];
    }
    const double log_total = std::log(total) + row[best];
    out.loss += (1 - smoothing) * (log_total - row[label]) + even * (static_cast<double>(classes) * log_total - sum);
    out.correct += best == label ? 1 : 0;
    if (!predictions.empty()) predictions[static_cast<size_t>(i)] = best;
    if (gradient.empty()) continue;
    for (int64_t k = 0; k < classes; ++k) {
      const double target = even + (k == label ? 1 - smoothing : 0);
      gradient[static_cast<size_t>(i * classes + k)] =
          static_cast<float>((exps[static_cast<size_t>(k)] / total - target) / static_cast<double>(n));
    }
  }
  return out;
}

}  // namespace condenser::train
