// On the library's own functions for gradient scaling.
#include "train/device/loss_scale.hpp"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/zeros.h>

namespace condenser::train {
namespace {

constexpr double kFirstScale = 65536, kGrowth = 2, kBackoff = 0.5;
constexpr int64_t kGrowthInterval = 2000;

}  // namespace

LossScale::LossScale(at::Device device)
    : scale_(at::full({1}, kFirstScale, at::device(device).dtype(at::kFloat))),
      finite_steps_(at::zeros({1}, at::device(device).dtype(at::kInt))),
      overflow_(at::zeros({1}, at::device(device).dtype(at::kFloat))) {}

at::Tensor LossScale::unscale(const at::Tensor& gradients) {
  overflow_.zero_();
  at::_amp_foreach_non_finite_check_and_unscale_({gradients}, overflow_, at::reciprocal(scale_));
  return overflow_;
}

void LossScale::update() {
  at::_amp_update_scale_(scale_, finite_steps_, overflow_, kGrowth, kBackoff, kGrowthInterval);
}

void LossScale::load(const OptimizerState& state) {
  if (state.loss_scale <= 0) return;
  scale_.fill_(state.loss_scale);
  finite_steps_.fill_(state.finite_steps);
}

void LossScale::store(OptimizerState& state) const {
  state.loss_scale = scale_.item<float>();
  state.finite_steps = finite_steps_.item<int>();
}

}  // namespace condenser::train
