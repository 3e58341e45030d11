// The step of loop.cpp without data, augmentation and metrics.
#include "train/measure_training.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <chrono>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/nn/spec_net.hpp"
#include "condenser/nn/weights_bridge.hpp"
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

// A network that learns a batch of noise.
class Trainee {
 public:
  Trainee(const arch::Spec& spec, int batch)
      : weights(arch::random_weights(spec, kSeed)),
        shape{batch, spec.input.c, spec.input.h, spec.input.w},
        learner_(make_cpu_learner({.spec = spec, .initial = weights, .options = options, .objective = {}})) {
    core::Rng rng(kSeed, 1);
    input.resize(static_cast<size_t>(batch * spec.input.elements()));
    for (float& value : input) value = static_cast<float>(rng.normal());
    const auto classes = static_cast<uint64_t>(arch::analyze(spec).nodes.back().shape.elements());
    for (int i = 0; i < batch; ++i) labels.push_back(static_cast<int64_t>(rng.below(classes)));
  }

  void step() {
    const auto size = static_cast<int64_t>(labels.size());
    learner_->accumulate({.size = size, .x = input, .y = labels, .t = {}}, size);
    learner_->update(options.lr, steps_++);
  }

  arch::Weights learned() const { return nn::copy_from_block(learner_->layout(), learner_->result()); }

  const TrainOptions options = step_options();
  const arch::Weights weights;
  const std::vector<int64_t> shape;  // of the input
  std::vector<float> input;
  std::vector<int64_t> labels;

 private:
  std::unique_ptr<Learner> learner_;
  int64_t steps_ = 0;
};

std::vector<float> outputs(const arch::Spec& spec, Trainee& trainee, nn::Mode mode) {
  const at::NoGradGuard no_gradients;
  nn::SpecNet net(spec, trainee.weights);
  const at::Tensor y = net.forward(at::from_blob(trainee.input.data(), trainee.shape), mode).contiguous();
  return {y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel()};
}

double seconds_of(Trainee& trainee, int64_t steps) {
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < steps; ++i) {
    if (core::stop_requested()) throw core::Stopped("measuring stopped");
    trainee.step();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

void measure_training(const TrainingSpeedRequest& request) {
  use_threads(request.threads);
  Trainee trainee(request.spec, request.batch);
  seconds_of(trainee, 2);  // memory is allocated, the library has chosen its kernels
  const double one = std::min(seconds_of(trainee, 1), seconds_of(trainee, 1));
  const int64_t steps = std::max<int64_t>(1, static_cast<int64_t>(request.seconds / one));
  while (request.next_round()) request.round(steps * request.batch, seconds_of(trainee, steps));
}

TrainingStep training_step(const arch::Spec& spec, int batch, int threads) {
  use_threads(threads);
  Trainee trainee(spec, batch);
  TrainingStep out;
  out.before = trainee.weights;
  out.input = trainee.input;
  out.labels = trainee.labels;
  out.evaluated = outputs(spec, trainee, nn::Mode::Evaluation);
  out.logits = outputs(spec, trainee, nn::Mode::Training);
  trainee.step();
  out.after = trainee.learned();
  out.lr = trainee.options.lr;
  out.momentum = trainee.options.momentum;
  out.weight_decay = trainee.options.weight_decay;
  return out;
}

}  // namespace condenser::train
