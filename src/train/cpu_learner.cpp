// Training on the processor: autograd through nn::SpecNet, everything else as loops over one block of floats.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "condenser/nn/spec_net.hpp"
#include "train/diagnose.hpp"
#include "train/learner.hpp"
#include "train/loss/objective.hpp"
#include "train/optim/optim.hpp"
#include "train/resize.hpp"

namespace condenser::train {
namespace {

at::Tensor planes(const Rows& rows, const arch::Shape& shape) {
  auto* pixels = const_cast<float*>(rows.x.data());  // from_blob takes no const; forward does not write
  return at::from_blob(pixels, {rows.size, shape.c, shape.h, shape.w});
}

std::span<const float> floats(const at::Tensor& dense) {
  return {dense.const_data_ptr<float>(), static_cast<size_t>(dense.numel())};
}

class CpuLearner : public Learner {
 public:
  explicit CpuLearner(const LearnerSetup& setup)
      : options_(setup.options),
        objective_(setup.objective),
        net_(setup.spec, setup.initial),
        frozen_(frozen_segments(setup.options, net_.layout())),
        learning_(learning_layout(net_.layout(), frozen_)),
        optimizer_(optimizer_state(setup.options, net_.layout())) {
    if (setup.ranges) net_.round_as(*setup.ranges);
    if (setup.teacher) teacher_ = std::make_unique<nn::SpecNet>(setup.teacher->spec, setup.teacher->weights);
    if (options_.ema_decay > 0) average_.assign(net_.values().begin(), net_.values().end());
    if (!frozen_.empty()) start_.assign(net_.values().begin(), net_.values().end());
  }

  const nn::BlockLayout& layout() const override { return net_.layout(); }
  std::string execution() const override { return "cpu"; }

  void set_input(const arch::Shape& input) override {
    if (net().spec().input == input) return;
    if (input == net_.spec().input) {
      copy(net().values(), net_.values());
      small_.reset();
    } else {
      small_ = std::make_unique<nn::SpecNet>(at_input(net_.spec(), input), net().weights());
      small_->synchronize(over_ranks_);
    }
  }

  LossSum accumulate(const Rows& rows, int64_t divisor) override {
    const at::Tensor x = planes(rows, net().spec().input);
    const at::Tensor teacher = taught(x);
    const at::Tensor logits = net().forward(x, nn::Mode::Training);
    const int64_t classes = logits.numel() / rows.size;
    std::vector<float> gradient(static_cast<size_t>(rows.size * classes));
    const LossSum sum = loss(objective_, classes, floats(logits.detach().contiguous()),
                             {.labels = rows.y,
                              .marks = marks_of(objective_, rows),
                              .teacher = teacher.defined() ? floats(teacher) : std::span<const float>()},
                             divisor, gradient);
    logits.backward(at::from_blob(gradient.data(), logits.sizes()));
    return sum;
  }

  at::Tensor gradients() override {
    const auto block = net().gradients();
    return at::from_blob(block.data(), {static_cast<int64_t>(block.size())});
  }

  std::vector<at::Tensor> parameters() override { return net().parameters(); }
  at::Tensor statistics() override {
    const auto block = net().values().subspan(static_cast<size_t>(layout().trainable_size));
    return at::from_blob(block.data(), {static_cast<int64_t>(block.size())});
  }
  void synchronize(nn::SumOverRanks over_ranks) override {
    over_ranks_ = std::move(over_ranks);
    net_.synchronize(over_ranks_);
    if (small_) small_->synchronize(over_ranks_);
  }

  void update(double lr, int64_t step) override {
    const auto values = net().values(), gradients = net().gradients();
    for (const auto& f : frozen_)
      if (f.trainable) std::fill_n(gradients.begin() + f.offset, f.size, 0.0f);
    if (options_.clip_grad > 0) clip_gradients(options_.clip_grad, gradients);
    optimizer_step(options_, learning_, lr, values, gradients, optimizer_);
    if (!average_.empty()) update_average(options_.ema_decay, step, values, average_);
    for (const auto& f : frozen_) {  // forward moved the statistics, and a mean of equal numbers is rounded
      const auto start = start_.begin() + f.offset;
      std::copy_n(start, f.size, values.begin() + f.offset);
      if (!average_.empty()) std::copy_n(start, f.size, average_.begin() + f.offset);
    }
  }

  void load(const Checkpoint& c) override {
    copy(c.values, net().values());
    average_ = c.average;
    if (!c.optimizer.first.empty()) optimizer_ = c.optimizer;
  }

  void store(Checkpoint& c) const override {
    c.values.assign(net().values().begin(), net().values().end());
    c.average = average_;
    c.optimizer = optimizer_;
  }

  Evaluation evaluate(const data::Dataset& dataset, OnStop on_stop, const EvaluationShare& share) override {
    if (small_) copy(small_->values(), net_.values());
    const Swapped average(*this);
    return evaluate_net(net_, dataset, task_of(objective_, dataset), on_stop, share);
  }

  std::vector<float> result() const override {
    return average_.empty() ? std::vector<float>(net().values().begin(), net().values().end()) : average_;
  }

  std::string first_non_finite(const Rows& rows) override {
    return train::first_non_finite(net().spec(), net().weights(), rows);
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

  // The one that learns.
  nn::SpecNet& net() const { return small_ ? *small_ : net_; }

  at::Tensor taught(const at::Tensor& x) const {
    if (!teacher_) return {};
    const at::NoGradGuard no_gradients;
    return teacher_->forward(x, nn::Mode::Evaluation).contiguous();
  }

  static void copy(std::span<const float> from, std::span<float> to) {
    std::copy(from.begin(), from.end(), to.begin());
  }

  const TrainOptions options_;
  const Objective objective_;
  mutable nn::SpecNet net_;               // at the full input
  std::unique_ptr<nn::SpecNet> small_;    // at another one; its values count then
  std::unique_ptr<nn::SpecNet> teacher_;  // may be null
  nn::SumOverRanks over_ranks_;           // may be empty
  const std::vector<nn::Segment> frozen_;
  const nn::BlockLayout learning_;  // without them
  OptimizerState optimizer_;
  std::vector<float> average_;  // empty: off
  std::vector<float> start_;    // values of the frozen; empty: there are none
};

}  // namespace

std::unique_ptr<Learner> make_cpu_learner(const LearnerSetup& setup) { return std::make_unique<CpuLearner>(setup); }

}  // namespace condenser::train
