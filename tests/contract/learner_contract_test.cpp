// What every Learner keeps, run on the processor: the same losses and weights whatever computes them, a state that goes
// on exactly, and the options that are a learner's own.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/lively.hpp"
#include "train/files/transfer.hpp"
#include "train/learner.hpp"
#include "train/quick_run.hpp"

namespace condenser::train {
namespace {

struct Maker {
  const char* name;
  std::unique_ptr<Learner> (*make)(const LearnerSetup&);
};
constexpr Maker kLearners[] = {
    {"processor", make_cpu_learner},
    {"device", [](const LearnerSetup& setup) { return make_device_learner(setup, at::kCPU); }},
};

data::Batch make_batch(uint64_t seed, int64_t size = 24) {
  const auto dataset = testing::stripes(size, seed);
  const auto values = static_cast<size_t>(dataset->shape().elements());
  data::Batch batch;
  batch.size = size;
  batch.x.resize(static_cast<size_t>(size) * values);
  for (int64_t i = 0; i < size; ++i) {
    dataset->get(i, std::span(batch.x).subspan(static_cast<size_t>(i) * values, values));
    batch.y.push_back(dataset->label(i));
  }
  return batch;
}

// Everything that a learner is made of, kept while it lives.
struct Setting {
  arch::Spec spec = testing::small_net();
  arch::Weights initial = arch::random_weights(spec, 4);
  TrainOptions options = testing::quick();
  Objective objective{.smoothing = 0.05};
  std::optional<Teacher> teacher;
  double lr = 0.05;

  std::unique_ptr<Learner> make(const Maker& maker) const {
    return maker.make({.spec = spec,
                       .initial = initial,
                       .options = options,
                       .objective = objective,
                       .teacher = teacher ? &*teacher : nullptr});
  }
  LossSum step(Learner& learner, int64_t number) const {
    const data::Batch batch = make_batch(static_cast<uint64_t>(20 + number), number == 3 ? 18 : 24);  // one is shorter
    LossSum sum;
    for (int i = 0; i < options.accumulate; ++i)
      sum += learner.accumulate(rows(batch, i, options.accumulate), batch.size);
    learner.update(lr, number);
    return sum;
  }
};

Checkpoint stored(const Learner& learner) {
  Checkpoint c;
  learner.store(c);
  return c;
}

bool same(const Checkpoint& a, const Checkpoint& b) {
  return a.values == b.values && a.average == b.average && a.optimizer.steps == b.optimizer.steps &&
         a.optimizer.first == b.optimizer.first && a.optimizer.second == b.optimizer.second;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  const double largest = testing::difference(a, b).largest;
  REQUIRE(std::isfinite(largest));  // equal sizes, and every value a number
  return largest;
}

std::vector<float> copy(const at::Tensor& t) {
  const at::Tensor dense = t.contiguous();
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

// What may differ between learners: sums in another order, and what an optimizer makes of that.
struct Variant {
  const char* name;
  void (*change)(Setting&);
  double tolerance;
};
const Variant kVariants[] = {
    {"as usual", [](Setting&) {}, 1e-3},
    {"accumulate", [](Setting& s) { s.options.accumulate = 2; }, 1e-3},
    {"clip", [](Setting& s) { s.options.clip_grad = 0.2; }, 1e-3},
    {"no average", [](Setting& s) { s.options.ema_decay = 0; }, 1e-3},
    {"freeze", [](Setting& s) { s.options.freeze = {"stem"}; }, 1e-3},
    {"class weights",
     [](Setting& s) {
       s.objective.class_weights = {1, 2, 0.5};
     },
     1e-3},
    {"binary", [](Setting& s) { s.objective.kind = LossKind::Binary; }, 1e-3},
    {"teacher",
     [](Setting& s) {
       s.objective.distill = 0.4;
       s.objective.temperature = 2;
       s.teacher = Teacher{s.spec, arch::random_weights(s.spec, 9)};
     },
     1e-3},
    {"adamw",
     [](Setting& s) {
       s.options.optimizer = "adamw";
       s.lr = 0.003;
     },
     1e-2},
};

}  // namespace

TEST_CASE("learners take the same steps", "[train][contract]") {
  for (const Variant& variant : kVariants) {
    Setting setting;
    variant.change(setting);
    const auto reference = setting.make(kLearners[0]);
    std::vector<LossSum> losses;
    for (int step = 0; step < 6; ++step) losses.push_back(setting.step(*reference, step));
    const auto validation = testing::stripes(60, 2);
    const Evaluation expected = reference->evaluate(*validation, OnStop::Finish);
    CHECK(largest_difference(reference->result(), setting.make(kLearners[0])->result()) > 1e-3);
    for (const Maker& maker : kLearners) {
      INFO(variant.name << ", " << maker.name);
      const auto learner = setting.make(maker);
      for (int step = 0; step < 6; ++step) {
        const LossSum sum = setting.step(*learner, step);
        CHECK(sum.loss == Approx(losses[size_t(step)].loss).epsilon(step == 0 ? 1e-5 : variant.tolerance));
        CHECK(std::abs(sum.correct - losses[size_t(step)].correct) <= (step == 0 ? 0 : 1));
      }
      CHECK(largest_difference(learner->result(), reference->result()) < variant.tolerance);
      CHECK(learner->evaluate(*validation, OnStop::Finish).loss ==
            Approx(expected.loss).epsilon(10 * variant.tolerance));
    }
  }
}

TEST_CASE("a learner goes on from its checkpoint to the bit", "[train][contract]") {
  for (const Maker& maker : kLearners)
    for (const std::string& optimizer : optimizer_names()) {
      INFO(maker.name << ", " << optimizer);
      Setting setting;
      setting.options.optimizer = optimizer;
      setting.options.freeze = {"stem"};
      setting.lr = 0.003;
      const auto whole = setting.make(maker);
      for (int step = 0; step < 3; ++step) setting.step(*whole, step);
      const auto second = setting.make(maker);
      second->load(stored(*whole));
      CHECK(same(stored(*second), stored(*whole)));
      for (int step = 3; step < 6; ++step) CHECK(setting.step(*second, step).loss == setting.step(*whole, step).loss);
      CHECK(same(stored(*second), stored(*whole)));
      CHECK(second->result() == whole->result());
    }
}

TEST_CASE("gradients add up over parts and are gone after a step", "[train][contract]") {
  for (const Maker& maker : kLearners) {
    INFO(maker.name);
    const Setting setting;
    const data::Batch batch = make_batch(7);
    const auto once = setting.make(maker), twice = setting.make(maker);
    once->accumulate(rows(batch, 0, 1), batch.size);
    twice->accumulate(rows(batch, 0, 1), 2 * batch.size);
    twice->accumulate(rows(batch, 0, 1), 2 * batch.size);
    CHECK(largest_difference(copy(once->gradients()), copy(twice->gradients())) < 1e-6);
    CHECK(once->gradients().abs().max().item<float>() > 1e-3f);
    once->update(0.1, 0);
    CHECK(once->gradients().abs().max().item<float>() == 0.0f);
  }
}

TEST_CASE("the gradient is clipped to its norm, before the step", "[train][contract]") {
  for (const Maker& maker : kLearners) {
    INFO(maker.name);
    Setting setting;
    setting.options.momentum = 0;
    setting.options.weight_decay = 0;
    setting.options.ema_decay = 0;
    setting.lr = 1;
    const auto moved = [&](double clip) {
      setting.options.clip_grad = clip;
      const auto learner = setting.make(maker);
      const std::vector<float> before = learner->result();
      setting.step(*learner, 0);
      const std::vector<float> after = learner->result();
      double sum = 0;
      for (int64_t i = 0; i < learner->layout().trainable_size; ++i)
        sum += std::pow(static_cast<double>(after[size_t(i)]) - before[size_t(i)], 2);
      return std::sqrt(sum);
    };
    CHECK(moved(0) > 0.1);
    CHECK(moved(0.1) == Approx(0.1).epsilon(1e-3));
    CHECK(moved(1e6) == Approx(moved(0)));
  }
}

TEST_CASE("the result is the moving average when there is one", "[train][contract]") {
  for (const Maker& maker : kLearners) {
    INFO(maker.name);
    Setting setting;
    const auto averaged = setting.make(maker);
    const std::vector<float> start = averaged->result();
    setting.step(*averaged, 0);
    const Checkpoint c = stored(*averaged);
    const double keep = average_keeps(setting.options.ema_decay, 0);
    REQUIRE(c.average.size() == c.values.size());
    CHECK(averaged->result() == c.average);
    for (size_t i = 0; i < c.values.size(); ++i)
      REQUIRE(c.average[i] == Approx(keep * start[i] + (1 - keep) * c.values[i]).margin(1e-6));
    setting.options.ema_decay = 0;
    const auto plain = setting.make(maker);
    setting.step(*plain, 0);
    CHECK(stored(*plain).average.empty());
    CHECK(plain->result() == stored(*plain).values);
    CHECK(plain->result() == c.values);
  }
}

TEST_CASE("what is frozen keeps its bits, statistics too, and the rest learns", "[train][contract]") {
  for (const Maker& maker : kLearners) {
    INFO(maker.name);
    Setting setting;
    setting.options.freeze = {"stem"};
    const auto learner = setting.make(maker);
    const std::vector<float> start = learner->result();
    for (int step = 0; step < 3; ++step) setting.step(*learner, step);
    const Checkpoint c = stored(*learner);
    int frozen = 0;
    for (const auto& segment : learner->layout().segments) {
      INFO(segment.name);
      const auto at = static_cast<size_t>(segment.offset), size = static_cast<size_t>(segment.size);
      const auto differs = [&](const std::vector<float>& values) {
        return !std::equal(values.begin() + at, values.begin() + at + size, start.begin() + at);
      };
      const bool still = segment.name.rfind("stem", 0) == 0;
      frozen += still;
      CHECK(differs(c.values) == !still);
      CHECK(differs(c.average) == !still);
    }
    CHECK(frozen >= 5);
  }
}

TEST_CASE("looking at data changes nothing", "[train][contract]") {
  for (const Maker& maker : kLearners) {
    INFO(maker.name);
    const Setting setting;
    const auto learner = setting.make(maker);
    setting.step(*learner, 0);
    const Checkpoint before = stored(*learner);
    const auto validation = testing::stripes(30, 2);
    const Evaluation first = learner->evaluate(*validation, OnStop::Finish);
    CHECK(learner->evaluate(*validation, OnStop::Finish).loss == first.loss);
    data::Batch bad = make_batch(3);
    bad.x[5] = std::numeric_limits<float>::quiet_NaN();
    CHECK(learner->first_non_finite(rows(bad, 0, 1)) != "");
    CHECK(same(stored(*learner), before));
  }
}

TEST_CASE("another input size keeps the weights", "[train][contract]") {
  for (const Maker& maker : kLearners) {
    INFO(maker.name);
    const Setting setting;
    const auto learner = setting.make(maker);
    setting.step(*learner, 0);
    const Checkpoint before = stored(*learner);
    learner->set_input({1, 4, 4});
    CHECK(same(stored(*learner), before));
    data::Batch small;
    small.size = 4;
    small.x.assign(4 * 16, 0.5f);
    small.y = {0, 1, 2, 0};
    CHECK(std::isfinite(learner->accumulate(rows(small, 0, 1), 4).loss));
    learner->update(0.01, 1);
    const Checkpoint after = stored(*learner);
    CHECK(after.values != before.values);
    learner->set_input(setting.spec.input);
    CHECK(same(stored(*learner), after));
    CHECK(std::isfinite(setting.step(*learner, 2).loss));
  }
}

}  // namespace condenser::train
