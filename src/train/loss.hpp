#pragma once
// Cross-entropy with label smoothing, and its gradient.

#include <cstdint>
#include <span>

namespace condenser::train {

struct LossSum {
  double loss = 0;      // sum over the batch
  int64_t correct = 0;  // largest logit is the label; the first one of equals
};

// logits: [n, classes]; labels: [n], each below `classes`. With target t = (1 - e) onehot(y) + e / classes:
//   loss_i = -sum_k t_k log softmax(logits_i)_k;  gradient of the mean over the batch: (softmax - t) / n.
// `gradient` may be empty; `predictions` may be empty.
LossSum cross_entropy(std::span<const float> logits, std::span<const int64_t> labels, int64_t classes, double smoothing,
                      std::span<float> gradient = {}, std::span<int64_t> predictions = {});

}  // namespace condenser::train
