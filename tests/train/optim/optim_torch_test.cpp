// The own optimizers and loss against LibTorch's.
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "train/loss/loss.hpp"
#include "train/optim/optim.hpp"

namespace condenser::train {
namespace {

constexpr int64_t kSize = 48;

// The same steps by our optimizer and by LibTorch's; largest difference of the parameters.
double difference(const TrainOptions& o, torch::optim::Optimizer& theirs, at::Tensor& parameter) {
  nn::BlockLayout layout;
  layout.segments = {
      {.name = "c.weight", .shape = {8, 6}, .offset = 0, .size = kSize, .trainable = true, .decay = true}};
  layout.trainable_size = layout.size = kSize;
  OptimizerState state = optimizer_state(o, layout);
  std::vector<float> values(parameter.const_data_ptr<float>(), parameter.const_data_ptr<float>() + kSize);
  core::Rng rng(3);
  double worst = 0;
  for (int step = 0; step < 5; ++step) {
    std::vector<float> gradients(kSize);
    for (float& g : gradients) g = static_cast<float>(rng.normal());
    parameter.mutable_grad() = at::from_blob(gradients.data(), {kSize}).clone();
    theirs.step();
    optimizer_step(o, layout, o.lr, values, gradients, state);
    for (int64_t i = 0; i < kSize; ++i)
      worst = std::max(worst, double(std::abs(values[size_t(i)] - parameter.const_data_ptr<float>()[i])));
  }
  return worst;
}

at::Tensor start() {
  std::vector<float> values(kSize);
  core::Rng rng(2);
  for (float& v : values) v = static_cast<float>(rng.normal());
  return at::from_blob(values.data(), {kSize}).clone().set_requires_grad(true);
}

}  // namespace

TEST_CASE("sgd steps are LibTorch's", "[train]") {
  TrainOptions o;
  o.optimizer = "sgd", o.lr = 0.05, o.momentum = 0.9, o.weight_decay = 0.01;
  at::Tensor parameter = start();
  torch::optim::SGD sgd({parameter}, torch::optim::SGDOptions(0.05).momentum(0.9).nesterov(true).weight_decay(0.01));
  CHECK(difference(o, sgd, parameter) < 1e-6);
}

TEST_CASE("adamw steps are LibTorch's", "[train]") {
  TrainOptions o;
  o.optimizer = "adamw", o.lr = 0.01, o.momentum = 0.9, o.weight_decay = 0.1;
  at::Tensor parameter = start();
  torch::optim::AdamW adamw({parameter}, torch::optim::AdamWOptions(0.01).betas({0.9, 0.999}).weight_decay(0.1));
  CHECK(difference(o, adamw, parameter) < 1e-6);
}

TEST_CASE("the smoothed loss and its gradient are LibTorch's", "[train]") {
  core::Rng rng(4);
  constexpr int64_t kBatch = 9, kClasses = 6;
  std::vector<float> values(kBatch * kClasses), gradient(values.size());
  for (float& v : values) v = static_cast<float>(3 * rng.normal());
  std::vector<int64_t> labels(kBatch);
  for (auto& l : labels) l = static_cast<int64_t>(rng.below(kClasses));
  const LossSum sum =
      loss({.smoothing = 0.1}, kClasses, values, {.labels = labels, .marks = {}, .teacher = {}}, kBatch, gradient);
  const at::Tensor logits = at::from_blob(values.data(), {kBatch, kClasses}).clone().set_requires_grad(true);
  const at::Tensor target = at::from_blob(labels.data(), {kBatch}, at::kLong);
  const at::Tensor theirs = at::cross_entropy_loss(logits, target, {}, at::Reduction::Mean, -100, 0.1);
  theirs.backward();
  CHECK(sum.loss / kBatch == Approx(theirs.item<double>()).epsilon(1e-5));
  for (size_t i = 0; i < values.size(); ++i)
    CHECK(gradient[i] == Approx(logits.grad().const_data_ptr<float>()[i]).margin(1e-6));
}

}  // namespace condenser::train
