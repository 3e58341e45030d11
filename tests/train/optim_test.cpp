#include "train/optim.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace condenser::train {
namespace {

// One kernel with decay, one bias without.
nn::BlockLayout two_segments() {
  nn::BlockLayout layout;
  layout.segments = {{.name = "c.weight", .shape = {2, 1}, .offset = 0, .size = 2, .trainable = true, .decay = true},
                     {.name = "c.bias", .shape = {1}, .offset = 16, .size = 1, .trainable = true, .decay = false},
                     {.name = "b.running_mean", .shape = {1}, .offset = 32, .size = 1, .trainable = false}};
  layout.trainable_size = 32;
  layout.size = 48;
  return layout;
}

struct Block {
  std::vector<float> values = std::vector<float>(48, 0.0f), gradients = std::vector<float>(32, 0.0f);
  void set_gradients(float a, float b, float bias) { gradients[0] = a, gradients[1] = b, gradients[16] = bias; }
  Block() { values[0] = 1.0f, values[1] = -2.0f, values[16] = 0.5f, values[32] = 9.0f; }
};

}  // namespace

TEST_CASE("sgd with Nesterov momentum, by hand", "[train]") {
  TrainOptions o;
  o.optimizer = "sgd", o.momentum = 0.9, o.weight_decay = 0.1;
  const auto layout = two_segments();
  OptimizerState state = optimizer_state(o, layout);
  Block block;
  block.set_gradients(0.5f, 0.0f, 1.0f);
  optimizer_step(o, layout, 0.1, block.values, block.gradients, state);
  // g = 0.5 + 0.1 * 1 = 0.6; v = 0.6; step 0.1 * (0.6 + 0.9 * 0.6) = 0.114
  CHECK(block.values[0] == Approx(1 - 0.114));
  // g = -0.2; step 0.1 * 1.9 * -0.2
  CHECK(block.values[1] == Approx(-2 + 0.038));
  // no decay on the bias: 0.1 * 1.9
  CHECK(block.values[16] == Approx(0.5 - 0.19));
  CHECK(block.values[32] == 9.0f);
  CHECK(block.gradients == std::vector<float>(32, 0.0f));

  block.set_gradients(0.0f, 0.0f, -1.0f);
  optimizer_step(o, layout, 0.1, block.values, block.gradients, state);
  // v = 0.9 * 1 - 1 = -0.1; step 0.1 * (-1 + 0.9 * -0.1)
  CHECK(block.values[16] == Approx(0.31 + 0.109));
}

TEST_CASE("adamw, by hand", "[train]") {
  TrainOptions o;
  o.optimizer = "adamw", o.momentum = 0.9, o.weight_decay = 0.1;
  const auto layout = two_segments();
  OptimizerState state = optimizer_state(o, layout);
  Block block;
  block.set_gradients(0.5f, 0.0f, -3.0f);
  optimizer_step(o, layout, 0.01, block.values, block.gradients, state);
  // The first step is lr * sign(g), after the decay of lr * decay * value.
  CHECK(block.values[0] == Approx(1 * (1 - 0.001) - 0.01).epsilon(1e-6));
  CHECK(block.values[1] == Approx(-2 * (1 - 0.001)).epsilon(1e-6));
  CHECK(block.values[16] == Approx(0.5 + 0.01).epsilon(1e-6));
  block.set_gradients(0.5f, 0.0f, 1.0f);
  optimizer_step(o, layout, 0.01, block.values, block.gradients, state);
  const double m = (0.9 * 0.1 * -3 + 0.1 * 1) / (1 - 0.81);
  const double v = (0.999 * 0.001 * 9 + 0.001 * 1) / (1 - 0.999 * 0.999);
  CHECK(block.values[16] == Approx(0.51 - 0.01 * m / (std::sqrt(v) + 1e-8)).epsilon(1e-5));
}

TEST_CASE("the learning rate warms up linearly and falls as a cosine", "[train]") {
  TrainOptions o;
  o.lr = 0.4, o.epochs = 5, o.warmup_epochs = 1;
  constexpr int64_t kSteps = 10;
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
}

TEST_CASE("the moving average follows its formula", "[train]") {
  const std::vector<float> values{1.0f, 2.0f};
  std::vector<float> average{0.0f, 4.0f};
  update_average(0.99, 1000000, values, average);
  CHECK(average[0] == Approx(0.01));
  CHECK(average[1] == Approx(0.99 * 4 + 0.01 * 2));
  average = {0.0f, 4.0f};
  update_average(0.99, 0, values, average);  // keeps 1/10 only
  CHECK(average[0] == Approx(0.9));
  CHECK(average[1] == Approx(0.4 + 1.8));
}

}  // namespace condenser::train
