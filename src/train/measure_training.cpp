// The step of loop.cpp without data, augmentation and metrics.
#include "train/measure_training.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <chrono>

#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/nn/spec_net.hpp"
#include "train/loop.hpp"
#include "train/loss.hpp"
#include "train/optim.hpp"

namespace condenser::train {
namespace {

constexpr uint64_t kSeed = 1;

TrainOptions step_options() {
  TrainOptions options;
  options.lr = 0.01;
  options.label_smoothing = 0;
  return options;
}

// A network with a batch of noise.
class Trainee {
 public:
  Trainee(const arch::Spec& spec, int batch)
      : net(spec, arch::random_weights(spec, kSeed)), state_(optimizer_state(options, net.layout())) {
    const arch::Shape& in = spec.input;
    core::Rng rng(kSeed, 1);
    input.resize(static_cast<size_t>(batch * in.elements()));
    for (float& value : input) value = static_cast<float>(rng.normal());
    x = at::from_blob(input.data(), {batch, in.c, in.h, in.w});
    const at::Tensor y = evaluate();
    classes_ = y.numel() / batch;
    for (int i = 0; i < batch; ++i) labels.push_back(static_cast<int64_t>(rng.below(static_cast<uint64_t>(classes_))));
  }

  at::Tensor evaluate() {
    const at::NoGradGuard no_gradients;
    return net.forward(x, nn::Mode::Evaluation).contiguous();
  }

  // Returns the logits.
  at::Tensor step() {
    const at::Tensor logits = net.forward(x, nn::Mode::Training);
    const at::Tensor dense = logits.detach().contiguous();
    gradient_.resize(static_cast<size_t>(dense.numel()));
    cross_entropy({dense.const_data_ptr<float>(), gradient_.size()}, labels, classes_, options.label_smoothing,
                  gradient_);
    logits.backward(at::from_blob(gradient_.data(), logits.sizes()));
    optimizer_step(options, net.layout(), options.lr, net.values(), net.gradients(), state_);
    return dense;
  }

  const TrainOptions options = step_options();
  nn::SpecNet net;
  std::vector<float> input;
  std::vector<int64_t> labels;
  at::Tensor x;  // looks at `input`

 private:
  OptimizerState state_;
  std::vector<float> gradient_;
  int64_t classes_ = 0;
};

std::vector<float> to_floats(const at::Tensor& dense) {
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
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
  out.before = trainee.net.weights();
  out.input = trainee.input;
  out.labels = trainee.labels;
  out.evaluated = to_floats(trainee.evaluate());
  out.logits = to_floats(trainee.step());
  out.after = trainee.net.weights();
  out.lr = trainee.options.lr;
  out.momentum = trainee.options.momentum;
  out.weight_decay = trainee.options.weight_decay;
  return out;
}

}  // namespace condenser::train
