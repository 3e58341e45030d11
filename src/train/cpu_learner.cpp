// Training on the processor: autograd through nn::SpecNet, everything else as loops over one block of floats.
#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "condenser/nn/spec_net.hpp"
#include "train/learner.hpp"
#include "train/optim.hpp"

namespace condenser::train {
namespace {

class CpuLearner : public Learner {
 public:
  explicit CpuLearner(const LearnerSetup& setup)
      : options_(setup.options),
        objective_(setup.objective),
        net_(setup.spec, setup.initial),
        optimizer_(optimizer_state(setup.options, net_.layout())) {
    if (options_.ema_decay > 0) average_.assign(net_.values().begin(), net_.values().end());
  }

  const nn::BlockLayout& layout() const override { return net_.layout(); }

  LossSum accumulate(const Rows& rows, int64_t divisor) override {
    const arch::Shape& shape = net_.spec().input;
    auto* pixels = const_cast<float*>(rows.x.data());  // from_blob takes no const; forward does not write
    const at::Tensor logits =
        net_.forward(at::from_blob(pixels, {rows.size, shape.c, shape.h, shape.w}), nn::Mode::Training);
    const int64_t classes = logits.size(1);
    const at::Tensor dense = logits.detach().contiguous();
    std::vector<float> gradient(static_cast<size_t>(rows.size * classes));
    const LossSum sum = loss(objective_, classes, {dense.const_data_ptr<float>(), gradient.size()},
                             {.labels = rows.y, .marks = rows.t, .teacher = {}}, divisor, gradient);
    logits.backward(at::from_blob(gradient.data(), {rows.size, classes, 1, 1}));
    return sum;
  }

  at::Tensor gradients() override {
    const auto block = net_.gradients();
    return at::from_blob(block.data(), {static_cast<int64_t>(block.size())});
  }

  std::vector<at::Tensor> parameters() override { return net_.parameters(); }
  at::Tensor statistics() override {
    const auto block = net_.values().subspan(static_cast<size_t>(net_.layout().trainable_size));
    return at::from_blob(block.data(), {static_cast<int64_t>(block.size())});
  }
  void synchronize(nn::SumOverRanks over_ranks) override { net_.synchronize(std::move(over_ranks)); }

  void update(double lr, int64_t step) override {
    optimizer_step(options_, net_.layout(), lr, net_.values(), net_.gradients(), optimizer_);
    if (!average_.empty()) update_average(options_.ema_decay, step, net_.values(), average_);
  }

  void load(const Checkpoint& c) override {
    std::copy(c.values.begin(), c.values.end(), net_.values().begin());
    average_ = c.average;
    if (!c.optimizer.first.empty()) optimizer_ = c.optimizer;
  }

  void store(Checkpoint& c) const override {
    c.values.assign(net_.values().begin(), net_.values().end());
    c.average = average_;
    c.optimizer = optimizer_;
  }

  Evaluation evaluate(const data::Dataset& dataset, OnStop on_stop) override {
    const Swapped average(*this);
    return evaluate_net(net_, dataset, objective_.kind, on_stop);
  }

  std::vector<float> result() const override {
    return average_.empty() ? std::vector<float>(net_.values().begin(), net_.values().end()) : average_;
  }

 private:
  // The averaged weights in place of the network's own, while it lives.
  struct Swapped {
    CpuLearner& learner;
    explicit Swapped(CpuLearner& l) : learner(l) { swap(); }
    ~Swapped() { swap(); }
    Swapped(const Swapped&) = delete;
    Swapped& operator=(const Swapped&) = delete;
    void swap() { std::swap_ranges(learner.average_.begin(), learner.average_.end(), learner.net_.values().begin()); }
  };

  const TrainOptions& options_;
  const Objective objective_;
  mutable nn::SpecNet net_;
  OptimizerState optimizer_;
  std::vector<float> average_;  // empty: off
};

}  // namespace

std::unique_ptr<Learner> make_cpu_learner(const LearnerSetup& setup) { return std::make_unique<CpuLearner>(setup); }

}  // namespace condenser::train
