// Training through the library's calls, here on the processor, against the processor's own learner.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include "support/catch.hpp"
#include "support/lively.hpp"
#include "train/device/check.hpp"
#include "train/device/loss.hpp"
#include "train/device/loss_scale.hpp"
#include "train/device/optim.hpp"
#include "train/learner.hpp"
#include "train/quick_run.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

at::Tensor tensor(const std::vector<float>& values, at::IntArrayRef sizes) {
  return at::from_blob(const_cast<float*>(values.data()), sizes).clone();
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, double(std::abs(a[i] - b[i])));
  return worst;
}

std::span<const float> floats(const at::Tensor& t) { return {t.const_data_ptr<float>(), size_t(t.numel())}; }

const std::vector<std::string> kOptimizers = optimizer_names();

}  // namespace

TEST_CASE("losses as tensors are the losses as loops", "[train][device]") {
  const int64_t n = 5, classes = 4;
  Objective o;
  o.kind = GENERATE(LossKind::CrossEntropy, LossKind::Binary, LossKind::SquaredError);
  o.multi_label = o.kind == LossKind::Binary;
  o.smoothing = 0.1;
  if (GENERATE(false, true)) o.class_weights = {1, 2, 0.5, 3};
  if (GENERATE(false, true)) o.distill = 0.3, o.temperature = 2;
  const std::vector<float> logits = testing::random_floats(n * classes, 1),
                           teacher = testing::random_floats(n * classes, 2);
  const std::vector<int64_t> labels{0, 3, 1, 2, 2};
  std::vector<float> marks(logits.size());
  read_marks({.labels = labels, .marks = {}, .teacher = {}}, classes, marks);
  if (o.multi_label) marks[1] = 1, marks[7] = 0;

  std::vector<float> gradient(logits.size());
  Targets targets{.labels = labels, .marks = marks, .teacher = {}};
  if (o.distill > 0) targets.teacher = teacher;
  const LossSum expected = loss(o, classes, logits, targets, 10, gradient);

  at::Tensor weights, z = tensor(logits, {n, classes}).set_requires_grad(true);
  if (!o.class_weights.empty()) weights = at::tensor({1.0f, 2.0f, 0.5f, 3.0f});
  const DeviceLoss found =
      device_loss(o, weights, z, tensor(marks, {n, classes}), at::tensor(at::ArrayRef<int64_t>(labels)),
                  o.distill > 0 ? tensor(teacher, {n, classes}) : at::Tensor());
  CHECK(found.sum.item<float>() == Approx(expected.loss).epsilon(1e-5));
  CHECK(found.correct.item<int64_t>() == expected.correct);
  found.sum.div(10).backward();
  CHECK(largest_difference(floats(z.grad()), gradient) < 1e-6);
}

TEST_CASE("optimizers as tensors are the optimizers as loops", "[train][device]") {
  const arch::Spec spec = testing::small_net();
  const nn::BlockLayout layout = nn::block_layout(spec);
  TrainOptions o = testing::quick();
  o.lr = 0.01, o.weight_decay = 0.1, o.clip_grad = 1.5;
  o.optimizer = GENERATE(from_range(kOptimizers));
  if (GENERATE(false, true)) o.freeze = {"stem"};
  INFO(o.optimizer << " frozen: " << o.freeze.size());
  std::vector<float> values(static_cast<size_t>(layout.size), 0.0f);
  nn::copy_to_block(spec, layout, arch::random_weights(spec, 3), values);
  const std::vector<float> start = values;
  std::vector<float> average = values;
  const auto frozen = frozen_segments(o, layout);
  const nn::BlockLayout learning = learning_layout(layout, frozen);
  OptimizerState state = optimizer_state(o, layout);
  at::Tensor block = tensor(values, {layout.size}), mean = block.clone();
  DeviceOptimizer optimizer(o, layout, frozen, block);
  for (int step = 0; step < 4; ++step) {
    std::vector<float> gradients(static_cast<size_t>(layout.trainable_size), 0.0f);
    const std::vector<float> noise = testing::random_floats(layout.trainable_size, 10 + step);
    for (const auto& s : layout.segments)
      if (s.trainable) std::copy_n(noise.begin() + s.offset, s.size, gradients.begin() + s.offset);
    at::Tensor slopes = tensor(gradients, {layout.trainable_size});
    for (const auto& f : frozen)
      if (f.trainable) std::fill_n(gradients.begin() + f.offset, f.size, 0.0f);
    clip_gradients(o.clip_grad, gradients);
    optimizer_step(o, learning, o.lr, values, gradients, state);
    update_average(o.ema_decay, step, values, average);
    optimizer.set(o.lr, step);
    optimizer.step(block, slopes, mean, {});
    CHECK(slopes.abs().max().item<float>() == 0.0f);
  }
  CHECK(largest_difference(floats(block), values) < (o.optimizer == "muon" ? 1e-4 : 2e-6));
  CHECK(largest_difference(floats(mean), average) < (o.optimizer == "muon" ? 1e-4 : 2e-6));
  CHECK(largest_difference(floats(block), start) > 1e-3);

  OptimizerState stored;
  optimizer.store(stored);
  CHECK(stored.steps == 4);
  CHECK(largest_difference(stored.first, state.first) < 1e-5);
  DeviceOptimizer again(o, layout, frozen, block);
  again.load(stored);
  OptimizerState twice;
  again.store(twice);
  CHECK(twice.first == stored.first);
  CHECK(twice.second == stored.second);
}

TEST_CASE("a step whose gradients overflow is left out and halves the loss scale", "[train][device]") {
  const arch::Spec spec = testing::small_net();
  const nn::BlockLayout layout = nn::block_layout(spec);
  TrainOptions o = testing::quick();
  o.optimizer = "adamw";
  at::Tensor block = tensor(testing::random_floats(layout.size, 1), {layout.size});
  const at::Tensor before = block.clone();
  DeviceOptimizer optimizer(o, layout, {}, block);
  LossScale scale(at::kCPU);
  const auto step = [&](float gradient) {
    at::Tensor gradients = at::full({layout.trainable_size}, 1.0f) * scale.scale();
    gradients[5] = gradient * scale.scale()[0];
    const at::Tensor overflow = scale.unscale(gradients);
    optimizer.set(0.1, 0);
    optimizer.step(block, gradients, {}, overflow);
    scale.update();
  };
  step(std::numeric_limits<float>::infinity());
  CHECK(block.equal(before));
  CHECK(scale.scale().item<float>() == 32768.0f);
  step(1.0f);
  CHECK(!block.equal(before));
  CHECK(at::isfinite(block).all().item<bool>());
  CHECK(scale.scale().item<float>() == 32768.0f);
  OptimizerState state;
  scale.store(state);
  CHECK(state.loss_scale == 32768.0);
  CHECK(state.finite_steps == 1);
  LossScale other(at::kCPU);
  other.load(state);
  CHECK(other.scale().item<float>() == 32768.0f);
}

TEST_CASE("bf16 on the processor learns", "[train][device]") {
  testing::QuickRun run;
  run.options.epochs = 12;
  run.options.amp = "bf16";
  CHECK(run.fit().validation->correct >= 28);
}

TEST_CASE("what cannot be had is refused in words", "[train][device]") {
  testing::QuickRun run;
  if (gpu_missing().empty()) return;  // here everything can be had
  run.options.device = "cuda";
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("train.device = cuda, but"));
  run.options.device = "auto", run.options.amp = "fp16";
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("needs a GPU"));
}

TEST_CASE("the self-test of devices passes on the processor", "[train][device][slow]") {
  for (const DeviceCheck& check : check_device(at::kCPU, 16, 32)) {
    INFO(check.what << ": " << check.detail);
    CHECK(check.passed);
  }
}

}  // namespace condenser::train
