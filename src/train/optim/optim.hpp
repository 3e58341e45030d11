#pragma once
// Optimizers, clipping and moving average: single passes over the parameter block.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/nn/weights_bridge.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

// One segment's share of a step.
struct HostStep {
  const nn::Segment& segment;
  bool matrix;  // a kernel or matrix that is not the head
  float rate, momentum;
  float decay, keep;                // weight decay of the segment; 1 - rate decay
  float first_scale, second_scale;  // 1 / (1 - beta^t)
  float *value, *gradient;          // [segment.size]; the gradient is left at zero
  float *first, *second;            // moments; `second` is null with one
};

// The table of optimizers. What each does on tensors stands beside it in device/optim.cpp; formulas at
// optimizer_step().
struct Optimizer {
  const char* name;
  const char* about;
  int moments;  // 1: momentum; 2: and squares
  void (*host)(const HostStep&);
};
const std::vector<Optimizer>& optimizers();
const Optimizer& find_optimizer(const std::string& name);  // throws ConfigError
std::vector<std::string> optimizer_names();
std::string optimizers_about();  // "sgd: ...; adamw: ..."

// Everything an optimizer remembers, part of the checkpoint.
struct OptimizerState {
  int64_t steps = 0;
  std::vector<float> first;   // [trainable_size] momentum
  std::vector<float> second;  // [trainable_size] second moment; empty for optimizers with one
  double loss_scale = 0;      // of train.amp = fp16, see train/loss_scale.hpp; 0: none
  int64_t finite_steps = 0;   // since it changed
};

OptimizerState optimizer_state(const TrainOptions&, const nn::BlockLayout&);

// The segments, running statistics among them, that options.freeze names. Throws ConfigError for a beginning that no
// segment has.
std::vector<nn::Segment> frozen_segments(const TrainOptions&, const nn::BlockLayout&);
// The layout in which they are not trainable, so that an optimizer passes over them.
nn::BlockLayout learning_layout(nn::BlockLayout, std::span<const nn::Segment> frozen);

constexpr double kAdamBeta2 = 0.999, kAdamEps = 1e-8, kLionBeta2 = 0.99;
// Muon is for the matrices between input and output: the last one, the head, is left to AdamW.
const nn::Segment* head_of(const nn::BlockLayout&);

// Share of the average that stays, d below.
double average_keeps(double decay, int64_t step);

// Scales the gradients to the norm `max_norm` when theirs is larger; returns the norm they had.
double clip_gradients(double max_norm, std::span<float> gradients);

// One update; sets the gradients of what it updates to zero. Decay on segments that are marked so. As in torch.optim:
//   sgd    SGD(momentum, nesterov=True, weight_decay)
//   sgdw   the same without decay, on values that first shrink by 1 - lr weight_decay, as for all below
//   adamw  AdamW(betas=(momentum, 0.999), eps=1e-8, weight_decay)
//   lion   c = b m + (1 - b) g with b = momentum; value -= lr sign(c); m = 0.99 m + 0.01 g
//   muon   muon.hpp for kernels and matrices but the last, adamw for the rest
void optimizer_step(const TrainOptions&, const nn::BlockLayout&, double lr, std::span<float> values,
                    std::span<float> gradients, OptimizerState&);

// average = d average + (1 - d) values, d = min(decay, (1 + step) / (10 + step)): early steps count for little later.
void update_average(double decay, int64_t step, std::span<const float> values, std::span<float> average);

}  // namespace condenser::train
