// Options and data -> Objective.
#include "train/objective.hpp"

namespace condenser::train {
namespace {

std::vector<int64_t> items_per_class(const data::Dataset& dataset) {
  std::vector<int64_t> counts(dataset.classes().size(), 0);
  std::vector<float> marks(counts.size());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (!dataset.multi_label()) {
      ++counts[static_cast<size_t>(dataset.label(i))];
      continue;
    }
    dataset.targets(i, marks);
    for (size_t k = 0; k < counts.size(); ++k) counts[k] += marks[k] > 0.5f ? 1 : 0;
  }
  return counts;
}

}  // namespace

LossKind loss_of(const TrainOptions& options, const data::Dataset& dataset) {
  return independent_classes(options, dataset.multi_label()) ? LossKind::Binary : LossKind::CrossEntropy;
}

data::Task task_of(const Objective& o, const data::Dataset& dataset) {
  return data::task_of(dataset, o.kind == LossKind::Binary);
}

std::vector<double> balancing_weights(LossKind kind, const data::Dataset& dataset) {
  const std::vector<int64_t> counts = items_per_class(dataset);
  const auto items = static_cast<double>(dataset.size()), classes = static_cast<double>(counts.size());
  std::vector<double> weights;
  for (const int64_t count : counts) {
    const auto n = static_cast<double>(count);
    weights.push_back(count == 0 ? 1.0 : kind == LossKind::Binary ? (items - n) / n : items / (classes * n));
  }
  return weights;
}

Objective objective_of(const TrainOptions& options, const data::Dataset& training) {
  Objective o{.kind = loss_of(options, training),
              .multi_label = training.multi_label(),
              .smoothing = options.label_smoothing,
              .class_weights = options.class_weights};
  if (options.balance == "weights") o.class_weights = balancing_weights(o.kind, training);
  if (!options.distill.teacher.empty()) o.distill = options.distill.alpha, o.temperature = options.distill.temperature;
  return o;
}

}  // namespace condenser::train
