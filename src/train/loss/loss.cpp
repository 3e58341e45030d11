// Cross-entropy with label smoothing (Szegedy et al., arXiv 1512.00567), binary cross-entropy, distillation.
#include "train/loss/loss.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "condenser/core/error.hpp"
#include "condenser/core/team.hpp"

namespace condenser::train {
namespace {

using Row = std::vector<double>;

constexpr int64_t kChunkLogits = 1024;  // work of a thread at once: tens of microseconds

int64_t largest(const float* logits, int64_t classes) { return std::max_element(logits, logits + classes) - logits; }

// log(1 + exp(x)) without overflow
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Replaces logits / temperature by their log softmax.
void log_softmax(const float* logits, double temperature, Row& out) {
  const auto classes = static_cast<int64_t>(out.size());
  const double top = logits[largest(logits, classes)];
  double total = 0;
  for (int64_t k = 0; k < classes; ++k) total += std::exp((logits[k] - top) / temperature);
  const double log_total = std::log(total) + top / temperature;
  for (int64_t k = 0; k < classes; ++k) out[static_cast<size_t>(k)] = logits[k] / temperature - log_total;
}

// One item: its loss, and the gradient by its logits in `slope`.
struct Item {
  const Objective& objective;
  const float* logits;
  const float* teacher;  // null: none
  const Row& marks;
  Row& slope;
  Row log_p = Row(slope.size()), log_q = Row(slope.size());

  double weight(size_t k) const { return objective.class_weights.empty() ? 1.0 : objective.class_weights[k]; }

  double cross_entropy() {
    const size_t classes = slope.size();
    log_softmax(logits, 1, log_p);
    double value = 0, mass = 0;
    for (size_t k = 0; k < classes; ++k) {
      const double even = objective.smoothing / static_cast<double>(classes);
      const double target = weight(k) * ((1 - objective.smoothing) * marks[k] + even);
      value -= target * log_p[k];
      slope[k] = -target;
      mass += target;
    }
    for (size_t k = 0; k < classes; ++k) slope[k] += mass * std::exp(log_p[k]);
    return value;
  }

  double binary() {
    const double share = 1 / static_cast<double>(slope.size());
    double value = 0;
    for (size_t k = 0; k < slope.size(); ++k) {
      const double z = logits[k], target = (1 - objective.smoothing) * marks[k] + objective.smoothing / 2;
      const double yes = weight(k) * target, no = 1 - target;
      value += share * (yes * softplus(-z) + no * softplus(z));
      slope[k] = share * ((yes + no) * sigmoid(z) - yes);
    }
    return value;
  }

  double squared_error() {
    const double share = 1 / static_cast<double>(slope.size());
    double value = 0;
    for (size_t k = 0; k < slope.size(); ++k) {
      const double difference = logits[k] - marks[k];
      value += share * difference * difference;
      slope[k] = share * 2 * difference;
    }
    return value;
  }

  // T^2 KL(q || p); adds `part` of it and of its gradient.
  double distillation() {
    const double t = objective.temperature;
    double value = 0;
    const auto add = [&](size_t k, double share, double q, double log_ratio, double p) {
      value += share * t * t * q * log_ratio;
      slope[k] += objective.distill * share * t * (p - q);
    };
    if (objective.kind == LossKind::CrossEntropy) {
      log_softmax(logits, t, log_p);
      log_softmax(teacher, t, log_q);
      for (size_t k = 0; k < slope.size(); ++k) add(k, 1, std::exp(log_q[k]), log_q[k] - log_p[k], std::exp(log_p[k]));
      return value;
    }
    const double share = 1 / static_cast<double>(slope.size());
    for (size_t k = 0; k < slope.size(); ++k) {
      const double z = logits[k] / t, y = teacher[k] / t, q = sigmoid(y);
      add(k, share, q, softplus(-z) - softplus(-y), sigmoid(z));
      value += share * t * t * (1 - q) * (softplus(z) - softplus(y));
    }
    return value;
  }

  double run() {
    if (objective.kind == LossKind::SquaredError) return squared_error();
    double value = objective.kind == LossKind::Binary ? binary() : cross_entropy();
    if (teacher == nullptr) return value;
    for (double& s : slope) s *= 1 - objective.distill;
    return (1 - objective.distill) * value + objective.distill * distillation();
  }
};

void read_marks(const Targets& targets, int64_t i, Row& marks) {
  const auto classes = static_cast<int64_t>(marks.size());
  if (!targets.marks.empty()) {
    std::copy_n(targets.marks.data() + i * classes, classes, marks.begin());
    return;
  }
  const int64_t label = targets.labels[static_cast<size_t>(i)];
  if (label < 0 || label >= classes)
    throw core::Error("label " + std::to_string(label) + " of a sample; expected 0.." + std::to_string(classes - 1));
  std::fill(marks.begin(), marks.end(), 0.0);
  marks[static_cast<size_t>(label)] = 1;
}

bool all_right(const float* logits, const Row& marks) {
  for (size_t k = 0; k < marks.size(); ++k)
    if ((logits[k] > 0) != (marks[k] > 0.5)) return false;
  return true;
}

}  // namespace

void read_marks(const Targets& targets, int64_t classes, std::span<float> marks) {
  Row row(static_cast<size_t>(classes));
  for (size_t i = 0; i < targets.labels.size(); ++i) {
    read_marks(targets, static_cast<int64_t>(i), row);
    std::copy(row.begin(), row.end(), marks.begin() + static_cast<std::ptrdiff_t>(i * row.size()));
  }
}

LossSum loss(const Objective& objective, int64_t classes, std::span<const float> logits, const Targets& targets,
             int64_t divisor, std::span<float> gradient, std::span<int64_t> predictions) {
  const auto items = static_cast<int64_t>(targets.labels.size());
  std::vector<LossSum> of_item(targets.labels.size());
  const auto run = [&](int64_t i, Row& marks, Row& slope) {
    const float* row = logits.data() + i * classes;
    const float* teacher = targets.teacher.empty() ? nullptr : targets.teacher.data() + i * classes;
    read_marks(targets, i, marks);
    LossSum& sum = of_item[static_cast<size_t>(i)];
    sum.loss = Item{objective, row, teacher, marks, slope}.run();
    if (objective.kind != LossKind::SquaredError) {
      const int64_t best = largest(row, classes);
      const bool right = objective.multi_label ? all_right(row, marks) : best == targets.labels[static_cast<size_t>(i)];
      sum.correct = right ? 1 : 0;
      if (!predictions.empty()) predictions[static_cast<size_t>(i)] = best;
    }
    if (gradient.empty()) return;
    for (int64_t k = 0; k < classes; ++k)
      gradient[static_cast<size_t>(i * classes + k)] =
          static_cast<float>(slope[static_cast<size_t>(k)] / static_cast<double>(divisor));
  };
  core::for_parts(items, std::max<int64_t>(1, kChunkLogits / classes), [&](int64_t first, int64_t count) {
    Row marks(static_cast<size_t>(classes)), slope(marks.size());
    for (int64_t i = first; i < first + count; ++i) run(i, marks, slope);
  });
  LossSum sum;
  for (const LossSum& item : of_item) sum += item;
  return sum;
}

}  // namespace condenser::train
