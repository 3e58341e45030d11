#pragma once
// Optimizers, learning-rate schedule and moving average: single passes over the parameter block.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/nn/weights_bridge.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

// Everything an optimizer remembers, part of the checkpoint.
struct OptimizerState {
  int64_t steps = 0;
  std::vector<float> first;   // [trainable_size] momentum
  std::vector<float> second;  // [trainable_size] second moment; adamw only
};

OptimizerState optimizer_state(const TrainOptions&, const nn::BlockLayout&);

// One update with the semantics of torch.optim: SGD(momentum, nesterov=True, weight_decay) or
// AdamW(betas=(momentum, 0.999), eps=1e-8, weight_decay). Sets the gradients to zero.
void optimizer_step(const TrainOptions&, const nn::BlockLayout&, double lr, std::span<float> values,
                    std::span<float> gradients, OptimizerState&);

// Linear warm-up over `warmup_epochs`, then cosine to zero at the last step; step counts from 0.
double learning_rate(const TrainOptions&, int64_t step, int64_t steps_per_epoch);

// average = d average + (1 - d) values, d = min(decay, (1 + step) / (10 + step)): early steps count for little later.
void update_average(double decay, int64_t step, std::span<const float> values, std::span<float> average);

}  // namespace condenser::train
