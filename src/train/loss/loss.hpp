#pragma once
// Losses on logits and their gradients: tens of numbers per item, so they are plain loops on the processor.

#include <cstdint>
#include <span>
#include <vector>

namespace condenser::train {

enum class LossKind {
  CrossEntropy,  // one class per item
  Binary,        // a yes or no for each class
  SquaredError,  // the item's values again: "classes" are values then, and its marks are the item
};

struct Objective {
  LossKind kind = LossKind::CrossEntropy;
  bool multi_label = false;           // several classes per item, or none
  double smoothing = 0;               // share of the target that is spread evenly
  std::vector<double> class_weights;  // [classes]; empty: all 1
  double distill = 0;                 // share of the teacher in the loss
  double temperature = 1;             // of teacher and student in that share
};

struct Targets {
  std::span<const int64_t> labels;  // [n], below the number of classes; -1 only where marks stand beside
  std::span<const float> marks;     // [n, classes], 0..1; empty: the labels count
  std::span<const float> teacher;   // [n, classes] logits; empty: none
};

// [n, classes]: the marks of the targets, one-hot without. Throws core::Error for a label that is no class.
void read_marks(const Targets&, int64_t classes, std::span<float> marks);

// Sums over items.
struct LossSum {
  double loss = 0;
  int64_t correct = 0;  // largest logit is the label's, the first one of equals; with several classes: all are right;
                        // squared error: 0

  LossSum& operator+=(const LossSum& other) {
    loss += other.loss;
    correct += other.correct;
    return *this;
  }
};

// logits: [n, classes]. With marks m (one-hot without), smoothing e, weights w and p = softmax or sigmoid of the
// logits:
//   cross-entropy: t_k = w_k ((1 - e) m_k + e / classes);  loss = -sum_k t_k log p_k
//   binary:        t_k = (1 - e) m_k + e / 2;  loss = -mean_k (w_k t_k log p_k + (1 - t_k) log(1 - p_k))
//   squared error: loss = mean_k (logit_k - m_k)^2; smoothing, weights and teacher have no meaning
// and with a teacher q (Hinton et al., arXiv 1503.02531), p and q at temperature T:
//   (1 - distill) loss + distill T^2 KL(q || p)
// `gradient` [n, classes] gets that of the sum of losses / divisor. `gradient` and `predictions` [n] may be empty.
LossSum loss(const Objective&, int64_t classes, std::span<const float> logits, const Targets&, int64_t divisor,
             std::span<float> gradient = {}, std::span<int64_t> predictions = {});

}  // namespace condenser::train
