// The learner of the training loop without data, augmentation and metrics.
#include "train/speed/measure_training.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <chrono>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/nn/spec_net.hpp"
#include "train/learner.hpp"
#include "train/loop.hpp"

namespace condenser::train {
namespace {

constexpr uint64_t kSeed = 1;

TrainOptions step_options() {
  TrainOptions options;
  options.lr = 0.01;
  options.label_smoothing = 0;
  return options;
}

// A learner with a batch of noise.
class Trainee {
 public:
  Trainee(const arch::Spec& spec, const arch::Weights& weights, int batch)
      : learner(make_cpu_learner({.spec = spec, .initial = weights, .options = options, .objective = {}})) {
    core::Rng rng(kSeed, 1);
    input.resize(static_cast<size_t>(batch * spec.input.elements()));
    for (float& value : input) value = static_cast<float>(rng.normal());
    const int64_t classes = arch::sole_output_shape(spec, "training").elements();
    for (int i = 0; i < batch; ++i) labels.push_back(static_cast<int64_t>(rng.below(static_cast<uint64_t>(classes))));
  }

  void step() {
    const auto size = static_cast<int64_t>(labels.size());
    learner->accumulate({.size = size, .x = input, .y = labels, .t = {}}, size);
    learner->update(options.lr, steps_++);
  }

  const TrainOptions options = step_options();
  const std::unique_ptr<Learner> learner;
  std::vector<float> input;
  std::vector<int64_t> labels;

 private:
  int64_t steps_ = 0;
};

double seconds_of(Trainee& trainee, int64_t steps) {
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < steps; ++i) {
    if (core::stop_requested()) throw core::Stopped("measuring stopped");
    trainee.step();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<float> outputs(const arch::Spec& spec, const arch::Weights& weights, std::vector<float>& input,
                           nn::Mode mode) {
  const at::NoGradGuard no_gradients;
  nn::SpecNet net(spec, weights);
  const arch::Shape& in = spec.input;
  const auto images = static_cast<int64_t>(input.size()) / in.elements();
  const at::Tensor y = net.forward(at::from_blob(input.data(), {images, in.c, in.h, in.w}), mode).contiguous();
  return {y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel()};
}

}  // namespace

void measure_training(const TrainingSpeedRequest& request) {
  use_threads(request.threads);
  Trainee trainee(request.spec, arch::random_weights(request.spec, kSeed), request.batch);
  seconds_of(trainee, 2);  // memory is allocated, the library has chosen its kernels
  const double one = std::min(seconds_of(trainee, 1), seconds_of(trainee, 1));
  const int64_t steps = std::max<int64_t>(1, static_cast<int64_t>(request.seconds / one));
  while (request.next_round()) request.round(steps * request.batch, seconds_of(trainee, steps));
}

TrainingStep training_step(const arch::Spec& spec, int batch, int threads) {
  use_threads(threads);
  TrainingStep out;
  out.before = arch::random_weights(spec, kSeed);
  Trainee trainee(spec, out.before, batch);
  out.input = trainee.input;
  out.labels = trainee.labels;
  out.evaluated = outputs(spec, out.before, out.input, nn::Mode::Evaluation);
  out.logits = outputs(spec, out.before, out.input, nn::Mode::Training);
  trainee.step();
  out.after = nn::copy_from_block(trainee.learner->layout(), trainee.learner->result());
  out.lr = trainee.options.lr;
  out.momentum = trainee.options.momentum;
  out.weight_decay = trainee.options.weight_decay;
  return out;
}

}  // namespace condenser::train
