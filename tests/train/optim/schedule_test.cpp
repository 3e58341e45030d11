#include "train/optim/schedule.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace condenser::train {
namespace {

constexpr int64_t kSteps = 10;  // per epoch

TrainOptions five_epochs(const std::string& schedule) {
  TrainOptions o;
  o.schedule = schedule, o.lr = 0.4, o.epochs = 5, o.warmup_epochs = 1;
  return o;
}

}  // namespace

TEST_CASE("the learning rate warms up linearly and falls as a cosine", "[train]") {
  TrainOptions o = five_epochs("cosine");
  CHECK(learning_rate(o, 0, kSteps) == Approx(0.04));
  CHECK(learning_rate(o, 9, kSteps) == Approx(0.4));
  CHECK(learning_rate(o, 10, kSteps) == Approx(0.4));
  CHECK(learning_rate(o, 30, kSteps) == Approx(0.2));
  CHECK(learning_rate(o, 20, kSteps) == Approx(0.4 * 0.5 * (1 + std::sqrt(0.5))));
  CHECK(learning_rate(o, 49, kSteps) > 0);
  CHECK(learning_rate(o, 49, kSteps) < 0.002);
  o.warmup_epochs = 0;
  CHECK(learning_rate(o, 0, kSteps) == Approx(0.4));
  o.warmup_epochs = 50;  // longer than the run
  CHECK(learning_rate(o, 49, kSteps) == Approx(0.4));
  o.warmup_epochs = 1, o.min_lr = 0.1;
  CHECK(learning_rate(o, 30, kSteps) == Approx(0.25));
}

TEST_CASE("the learning rate falls linearly, in steps, or not at all", "[train]") {
  TrainOptions o = five_epochs("linear");
  o.min_lr = 0.2;
  CHECK(learning_rate(o, 4, kSteps) == Approx(0.2));  // half the warm-up
  CHECK(learning_rate(o, 10, kSteps) == Approx(0.4));
  CHECK(learning_rate(o, 30, kSteps) == Approx(0.3));

  o = five_epochs("step");
  o.milestones = {2, 3.5}, o.gamma = 0.5;
  CHECK(learning_rate(o, 4, kSteps) == Approx(0.2));
  CHECK(learning_rate(o, 19, kSteps) == Approx(0.4));
  CHECK(learning_rate(o, 20, kSteps) == Approx(0.2));
  CHECK(learning_rate(o, 34, kSteps) == Approx(0.2));
  CHECK(learning_rate(o, 35, kSteps) == Approx(0.1));

  o = five_epochs("constant");
  CHECK(learning_rate(o, 49, kSteps) == Approx(0.4));
}

TEST_CASE("one cycle rises and falls as cosines", "[train]") {
  TrainOptions o = five_epochs("one_cycle");
  o.warmup_epochs = 0, o.pct_start = 0.4;  // the top is step 20
  CHECK(learning_rate(o, 0, kSteps) == Approx(0.4 / 25));
  CHECK(learning_rate(o, 10, kSteps) == Approx(0.5 * (0.4 + 0.4 / 25)));
  CHECK(learning_rate(o, 20, kSteps) == Approx(0.4));
  CHECK(learning_rate(o, 35, kSteps) == Approx(0.2));
  o.warmup_epochs = 1;  // to the first rate of the cycle, which then has 40 steps
  CHECK(learning_rate(o, 4, kSteps) == Approx(0.5 * 0.4 / 25));
  CHECK(learning_rate(o, 26, kSteps) == Approx(0.4));
}

}  // namespace condenser::train
