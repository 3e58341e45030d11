// The formulas stand in optim.hpp and muon.hpp.
#include "train/device/optim.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "condenser/core/error.hpp"

namespace condenser::train {
namespace {

enum Number : int64_t { kRate, kFirstScale, kSecondScale, kAverageKeeps, kNumbers };

at::Tensor on_device(std::span<const float> values, at::Device device) {
  auto* data = const_cast<float*>(values.data());  // from_blob takes no const; the copy is made below
  return at::from_blob(data, {static_cast<int64_t>(values.size())}).to(device, at::kFloat, false, /*copy=*/true);
}

void to_host(const at::Tensor& tensor, std::vector<float>& out) {
  const at::Tensor host = tensor.cpu();
  out.assign(host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel());
}

}  // namespace

at::Tensor orthogonal(at::Tensor x) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315, kEps = 1e-7;
  constexpr int kSteps = 5;
  const bool tall = x.size(1) > x.size(2);
  if (tall) x = x.transpose(1, 2);
  x = x / (at::linalg_vector_norm(x, 2, {1, 2}, /*keepdim=*/true) + kEps);
  for (int i = 0; i < kSteps; ++i) {
    const at::Tensor a = at::bmm(x, x.transpose(1, 2));
    x = x * kA + at::bmm(a * kB + at::bmm(a, a) * kC, x);
  }
  return tall ? x.transpose(1, 2) : x;
}

DeviceOptimizer::DeviceOptimizer(const TrainOptions& options, const nn::BlockLayout& layout,
                                 std::span<const nn::Segment> frozen, const at::Tensor& block)
    : options_(options), move_(move_of(options.optimizer)) {
  const at::Device device = block.device();
  const auto size = static_cast<size_t>(layout.trainable_size);
  std::vector<float> decay(size, 0.0f);
  for (const auto& segment : layout.segments)
    if (segment.trainable && segment.decay)
      std::fill_n(decay.begin() + segment.offset, segment.size, static_cast<float>(options.weight_decay));
  for (const auto& f : frozen)
    if (f.trainable) std::fill_n(decay.begin() + f.offset, f.size, 0.0f);
  decay_ = on_device(decay, device);
  first_ = at::zeros_like(decay_);
  if (find_optimizer(options.optimizer).moments == 2) second_ = at::zeros_like(decay_);
  if (!frozen.empty()) {
    frozen_ = at::zeros({layout.size}, at::device(device).dtype(at::kBool));
    for (const auto& f : frozen) frozen_.narrow(0, f.offset, f.size).fill_(true);
    learning_ = frozen_.narrow(0, 0, layout.trainable_size).logical_not().to(at::kFloat);
    start_ = block.clone();
  }
  const auto numbers = at::TensorOptions().dtype(at::kFloat);
  numbers_ = at::zeros({kNumbers}, numbers.device(device));
  host_numbers_ = at::zeros({kNumbers}, numbers.pinned_memory(device.is_cuda()));
  if (move_ != &DeviceOptimizer::muon) return;
  const nn::Segment* head = head_of(layout);
  for (const auto& segment : layout.segments)
    if (segment.decay && &segment != head) matrices_.push_back({segment, {}});
}

void DeviceOptimizer::set(double lr, int64_t step) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  float* numbers = host_numbers_.mutable_data_ptr<float>();
  numbers[kRate] = static_cast<float>(lr);
  numbers[kFirstScale] = static_cast<float>(1 / (1 - std::pow(options_.momentum, t)));
  numbers[kSecondScale] = static_cast<float>(1 / (1 - std::pow(kAdamBeta2, t)));
  numbers[kAverageKeeps] = static_cast<float>(average_keeps(options_.ema_decay, step));
  numbers_.copy_(host_numbers_, /*non_blocking=*/true);
}

void DeviceOptimizer::sgd(at::Tensor values, const at::Tensor& gradients) {
  const at::Tensor g = gradients + decay_ * values;
  first_.mul_(options_.momentum).add_(g);
  values.sub_(numbers_[kRate] * (g + first_ * options_.momentum));
}

void DeviceOptimizer::sgdw(at::Tensor values, const at::Tensor& gradients) {
  first_.mul_(options_.momentum).add_(gradients);
  values.mul_(keep()).sub_(numbers_[kRate] * (gradients + first_ * options_.momentum));
}

void DeviceOptimizer::lion(at::Tensor values, const at::Tensor& gradients) {
  const double momentum = options_.momentum;
  values.mul_(keep()).sub_(numbers_[kRate] * at::sign(first_ * momentum + gradients * (1 - momentum)));
  first_.mul_(kLionBeta2).add_(gradients, 1 - kLionBeta2);
}

void DeviceOptimizer::adamw(at::Tensor values, const at::Tensor& gradients) {
  first_.mul_(options_.momentum).add_(gradients, 1 - options_.momentum);
  second_.mul_(kAdamBeta2).add_(gradients * gradients, 1 - kAdamBeta2);
  values.mul_(keep()).sub_(numbers_[kRate] * (first_ * numbers_[kFirstScale]) /
                           (at::sqrt(second_ * numbers_[kSecondScale]) + kAdamEps));
}

// AdamW, whose first moment is the momentum; then the matrices are set afresh.
void DeviceOptimizer::muon(at::Tensor values, const at::Tensor& gradients) {
  const double momentum = options_.momentum;
  const at::Tensor rate = numbers_[kRate], kept = keep();
  const auto part = [](const at::Tensor& block, const nn::Segment& s) { return block.narrow(0, s.offset, s.size); };
  for (Matrix& m : matrices_) m.before = part(values, m.segment).clone();
  adamw(values, gradients);
  for (Matrix& m : matrices_) {
    const nn::Segment& s = m.segment;
    const int64_t rows = s.shape[0] / s.groups, columns = s.size / s.shape[0];
    const at::Tensor direction = part(gradients, s) * (1 - momentum) + part(first_, s) * momentum;
    const at::Tensor update = orthogonal(direction.view({s.groups, rows, columns})).reshape({s.size});
    const double size = 0.2 * std::sqrt(static_cast<double>(std::max(rows, columns)));
    part(values, s).copy_(m.before * part(kept, s) - rate * size * update);
  }
}

// Rows of optimizers().
DeviceOptimizer::Move DeviceOptimizer::move_of(const std::string& name) {
  static const std::map<std::string, Move> table{{"sgd", &DeviceOptimizer::sgd},
                                                 {"sgdw", &DeviceOptimizer::sgdw},
                                                 {"adamw", &DeviceOptimizer::adamw},
                                                 {"lion", &DeviceOptimizer::lion},
                                                 {"muon", &DeviceOptimizer::muon}};
  const auto found = table.find(name);
  if (found == table.end()) throw core::Error("optimizer " + name + " has no step on tensors; add it to this table");
  return found->second;
}

at::Tensor DeviceOptimizer::keep() const { return 1 - numbers_[kRate] * decay_; }

void DeviceOptimizer::step(const at::Tensor& block, const at::Tensor& gradients, const at::Tensor& average,
                           const at::Tensor& overflow) {
  at::Tensor all = block, slopes = gradients;
  at::Tensor values = all.narrow(0, 0, slopes.size(0));
  if (frozen_.defined()) slopes.mul_(learning_);
  if (options_.clip_grad > 0) slopes.mul_(at::clamp_max(options_.clip_grad / at::linalg_vector_norm(slopes), 1.0));
  std::vector<at::Tensor> state{values, first_}, before;
  if (second_.defined()) state.push_back(second_);
  if (overflow.defined())
    for (const auto& tensor : state) before.push_back(tensor.clone());
  (this->*move_)(values, slopes);
  for (size_t i = 0; i < before.size(); ++i) state[i].copy_(at::where(overflow > 0, before[i], state[i]));
  slopes.zero_();
  at::Tensor mean = average;
  const at::Tensor keep = numbers_[kAverageKeeps];
  if (mean.defined()) mean.mul_(keep).add_(all * (1 - keep));
  if (!frozen_.defined()) return;
  all.copy_(at::where(frozen_, start_, all));                        // forward moved the statistics
  if (mean.defined()) mean.copy_(at::where(frozen_, start_, mean));  // a mean of equal numbers is rounded
}

void DeviceOptimizer::load(const OptimizerState& state) {
  steps_ = state.steps;
  first_.copy_(on_device(state.first, first_.device()));
  if (second_.defined()) second_.copy_(on_device(state.second, second_.device()));
}

void DeviceOptimizer::store(OptimizerState& state) const {
  state.steps = steps_;
  to_host(first_, state.first);
  if (second_.defined()) to_host(second_, state.second);
}

}  // namespace condenser::train
