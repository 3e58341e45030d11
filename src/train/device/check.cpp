// Courses of a few steps with the same batches, side by side.
#include "train/device/check.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "condenser/arch/blocks.hpp"
#include "condenser/core/rng.hpp"
#include "train/learner.hpp"

namespace condenser::train {
namespace {

constexpr arch::Shape kInput{3, 32, 32};
constexpr int kClasses = 10, kBatches = 4;
constexpr double kRate = 1.0;  // logits are small at first: attention averages

// Columns, attention and anti-aliased strides: the operators that searched networks are made of.
arch::Spec column_net() {
  arch::Builder b("device_check", kInput);
  int x = arch::conv_bn_act(b, b.input(), "stem", {.out = 16, .activation = arch::ActivationKind::Silu});
  x = arch::column_stage(b, x, "s1", 1, {.channels = 16, .columns = 4, .attention = true});
  x = arch::column_stage(b, x, "s2", 1, {.channels = 32, .columns = 4, .stride = 2, .attention = true});
  arch::classifier_head(b, x, kClasses);
  return b.finish();
}

// Noise, and for each class stripes of another width or in another channel.
data::Batch make_batch(int size, core::Rng& rng) {
  data::Batch batch;
  batch.size = size;
  for (int i = 0; i < size; ++i) {
    const auto label = static_cast<int64_t>(rng.below(kClasses)), width = label / kInput.c + 1;
    batch.y.push_back(label);
    for (int64_t c = 0; c < kInput.c; ++c)
      for (int64_t y = 0; y < kInput.h; ++y)
        for (int64_t x = 0; x < kInput.w; ++x)
          batch.x.push_back(static_cast<float>(rng.normal()) +
                            (c == label % kInput.c && x / width % 2 == 0 ? 2.0f : 0.0f));
  }
  return batch;
}

struct Course {
  std::vector<double> losses;  // per item
  double images_per_s = 0;     // of its second half
  std::string execution;
};

Course run(Learner& learner, const std::vector<data::Batch>& batches, int steps) {
  Course course;
  const int warm = steps / 2;
  auto begin = std::chrono::steady_clock::now();
  for (int step = 0; step < steps; ++step) {
    if (step == warm) begin = std::chrono::steady_clock::now();
    const data::Batch& batch = batches[static_cast<size_t>(step) % batches.size()];
    const LossSum sum = learner.accumulate(rows(batch, 0, 1), batch.size);
    learner.update(kRate, step);
    course.losses.push_back(sum.loss / static_cast<double>(batch.size));
  }
  learner.result();  // waits for the device
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  course.images_per_s = static_cast<double>(batches[0].size * (steps - warm)) / seconds.count();
  course.execution = learner.execution();
  return course;
}

double largest_difference(const Course& a, const Course& b, size_t steps) {
  double worst = 0;
  for (size_t i = 0; i < std::min(steps, a.losses.size()); ++i)
    worst = std::max(worst, std::abs(a.losses[i] - b.losses[i]) / std::max(1e-3, std::abs(b.losses[i])));
  return worst;
}

std::string text(const char* format, double a, double b, double c) {
  char out[160];
  std::snprintf(out, sizeof out, format, a, b, c);
  return out;
}

std::string speed(const Course& course) {
  return text(", %.0f images/s", course.images_per_s, 0, 0) + " (" + course.execution + ")";
}

// Rounding differs, and steps make differences grow: early losses must agree, late ones must be as low.
DeviceCheck compare(const std::string& what, const Course& course, const Course& reference, double tolerance) {
  const double early = largest_difference(course, reference, 10);
  const double last = course.losses.back(), expected = reference.losses.back();
  return {what, early <= tolerance && last <= 1.2 * expected + 0.1,
          text("largest difference of 10 losses %.2g %%, last loss %.3f against %.3f", 100 * early, last, expected) +
              speed(course)};
}

}  // namespace

std::vector<DeviceCheck> check_device(at::Device device, int steps, int batch_size) {
  const arch::Spec spec = column_net();
  const arch::Weights initial = arch::random_weights(spec, 1);
  core::Rng rng(2);
  std::vector<data::Batch> batches;
  for (int i = 0; i < kBatches; ++i) batches.push_back(make_batch(batch_size, rng));
  const auto course = [&](const char* amp, auto&& make) {
    TrainOptions options;
    options.amp = amp;
    options.ema_decay = 0;
    const LearnerSetup setup{.spec = spec, .initial = initial, .options = options, .objective = {}};
    return run(*make(setup), batches, steps);
  };
  const auto on_device = [&](bool recording) {
    return [=](const LearnerSetup& setup) { return make_device_learner(setup, device, recording); };
  };

  const Course processor = course("off", make_cpu_learner);
  const double first = processor.losses.front(), last = processor.losses.back();
  std::vector<DeviceCheck> checks{
      {"training on the processor", last < 0.95 * first, text("loss %.3f to %.3f", first, last, 0) + speed(processor)}};
  const Course eager = course("off", on_device(false));
  checks.push_back(compare("float32", eager, processor, 0.02));
  checks.push_back(compare("bf16", course("bf16", on_device(false)), processor, 0.1));
  if (!device.is_cuda()) return checks;
  checks.push_back(compare("fp16", course("fp16", on_device(false)), processor, 0.05));
  for (const char* amp : {"off", "bf16", "fp16"}) {
    const Course recorded = course(amp, on_device(true));
    DeviceCheck check = compare(std::string("recorded steps, amp ") + amp, recorded, processor, 0.1);
    check.passed = check.passed && recorded.execution.find("recorded") != std::string::npos;
    checks.push_back(check);
  }
  return checks;
}

}  // namespace condenser::train
