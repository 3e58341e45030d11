// Options and data -> Objective.
#include "train/loss/objective.hpp"

#include "condenser/data/split.hpp"

namespace condenser::train {

LossKind loss_of(const TrainOptions& options, const data::Dataset& dataset) {
  if (reconstructs(options)) return LossKind::SquaredError;
  return independent_classes(options, dataset.multi_label()) ? LossKind::Binary : LossKind::CrossEntropy;
}

data::Task task_of(const Objective& o, const data::Dataset& dataset) {
  if (o.kind == LossKind::SquaredError)
    return data::reconstruction_task(std::ssize(dataset.classes()), dataset.shape());
  return data::task_of(dataset, o.kind == LossKind::Binary);
}

std::vector<double> balancing_weights(LossKind kind, const data::Dataset& dataset) {
  const std::vector<int64_t> counts = data::items_per_class(dataset);
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
  if (!options.distill.teacher.empty()) {
    o.distill = options.distill.alpha;
    o.temperature = options.distill.temperature;
  }
  return o;
}

}  // namespace condenser::train
