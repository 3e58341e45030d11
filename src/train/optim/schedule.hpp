#pragma once
// The learning rate as a function of the step.

#include <cstdint>

#include "condenser/train/options.hpp"

namespace condenser::train {

// Linear warm-up to the schedule's first rate over `warmup_epochs`, then the schedule over the steps that are left:
//   cosine, linear  lr -> min_lr
//   one_cycle       lr / 25 -> lr -> min_lr, both as half cosines (Smith and Topin, arXiv 1708.07120)
//   step            lr gamma^k after k milestones, which count epochs of the whole run
//   constant        lr
// `step` counts from 0.
double learning_rate(const TrainOptions&, int64_t step, int64_t steps_per_epoch);

}  // namespace condenser::train
