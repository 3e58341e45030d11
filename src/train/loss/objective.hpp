#pragma once
// The loss that options and data ask for.

#include "condenser/data/task.hpp"
#include "condenser/train/options.hpp"
#include "train/loss/loss.hpp"

namespace condenser::train {

// They fit each other (train/check_options.hpp).
Objective objective_of(const TrainOptions&, const data::Dataset& training);

// Weights from inverse frequencies. cross_entropy: items / (classes * items of the class), whose mean over the items is
// 1; binary: items without the class / items with it. 1 for a class without items.
std::vector<double> balancing_weights(LossKind, const data::Dataset&);

LossKind loss_of(const TrainOptions&, const data::Dataset&);

// How outputs are read that such an objective trains.
data::Task task_of(const Objective&, const data::Dataset&);

}  // namespace condenser::train
