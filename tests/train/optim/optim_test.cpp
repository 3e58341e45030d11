#include "train/optim/optim.hpp"

#include <cmath>

#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "train/optim/muon.hpp"

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

TEST_CASE("sgdw shrinks values beside the gradient", "[train]") {
  TrainOptions o;
  o.optimizer = "sgdw", o.momentum = 0.9, o.weight_decay = 0.1;
  const auto layout = two_segments();
  OptimizerState state = optimizer_state(o, layout);
  Block block;
  block.set_gradients(0.5f, 0.0f, 1.0f);
  optimizer_step(o, layout, 0.1, block.values, block.gradients, state);
  CHECK(block.values[0] == Approx(1 * 0.99 - 0.1 * 1.9 * 0.5));
  CHECK(block.values[1] == Approx(-2 * 0.99));
  CHECK(block.values[16] == Approx(0.5 - 0.19));
  block.set_gradients(0.0f, 0.0f, 0.0f);
  optimizer_step(o, layout, 0.1, block.values, block.gradients, state);
  CHECK(block.values[1] == Approx(-2 * 0.99 * 0.99));  // decay leaves no momentum behind
}

// Naive, in double; several steps with random gradients.
TEST_CASE("lion moves by the sign of its momentum", "[train]") {
  TrainOptions o;
  o.optimizer = "lion", o.momentum = 0.9, o.weight_decay = 0.5;
  const auto layout = two_segments();
  OptimizerState state = optimizer_state(o, layout);
  CHECK(state.second.empty());
  Block block;
  core::Rng rng(1);
  double value[2] = {1.0, 0.5}, m[2] = {0, 0};
  for (int step = 0; step < 20; ++step) {
    const double g[2] = {rng.normal(), rng.normal()};
    block.set_gradients(static_cast<float>(g[0]), 0.0f, static_cast<float>(g[1]));
    optimizer_step(o, layout, 0.01, block.values, block.gradients, state);
    for (int i = 0; i < 2; ++i) {
      const double c = 0.9 * m[i] + 0.1 * g[i], decay = i == 0 ? 0.5 : 0.0;
      value[i] = value[i] * (1 - 0.01 * decay) - 0.01 * (c > 0 ? 1 : c < 0 ? -1 : 0);
      m[i] = 0.99 * m[i] + 0.01 * g[i];
    }
  }
  CHECK(block.values[0] == Approx(value[0]).epsilon(1e-5));
  CHECK(block.values[16] == Approx(value[1]).epsilon(1e-5));
  CHECK(block.values[1] == Approx(-2 * std::pow(1 - 0.005, 20)).epsilon(1e-5));  // no gradient: decay only
  CHECK(block.gradients == std::vector<float>(32, 0.0f));
}

TEST_CASE("orthogonalized matrices keep their directions and even out their lengths", "[train]") {
  // Columns of a rotation times singular values 5, 1, 0.3.
  const double c = std::cos(0.7), s = std::sin(0.7);
  const double u[3][3] = {{c, -s, 0}, {s, c, 0}, {0, 0, 1}}, v[3][4] = {{0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}};
  const double lengths[3] = {5, 1, 0.3};
  const bool tall = GENERATE(false, true);
  std::vector<float> matrix(12);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) {
      double x = 0;
      for (int k = 0; k < 3; ++k) x += u[i][k] * lengths[k] * v[k][j];
      matrix[static_cast<size_t>(tall ? j * 3 + i : i * 4 + j)] = static_cast<float>(x);
    }
  orthogonalize(matrix.data(), tall ? 4 : 3, tall ? 3 : 4);
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {  // u^T m v^T: the singular values, and nothing beside them
      double x = 0;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 4; ++j) x += u[i][a] * matrix[static_cast<size_t>(tall ? j * 3 + i : i * 4 + j)] * v[b][j];
      CHECK(x == Approx(a == b ? 0.95 : 0).margin(a == b ? 0.3 : 1e-5));
    }
}

TEST_CASE("muon moves kernels by group and leaves the head and biases to adamw", "[train]") {
  nn::BlockLayout layout;
  layout.segments = {
      {.name = "c.weight",
       .shape = {4, 1, 1, 3},
       .offset = 0,
       .size = 12,
       .trainable = true,
       .groups = 4,
       .decay = true},
      {.name = "c.bias", .shape = {4}, .offset = 16, .size = 4},
      {.name = "fc.weight", .shape = {2, 2}, .offset = 32, .size = 4, .trainable = true, .groups = 1, .decay = true}};
  layout.trainable_size = layout.size = 48;
  TrainOptions muon, adam;
  muon.optimizer = "muon", adam.optimizer = "adamw";
  muon.weight_decay = adam.weight_decay = 0.1;
  std::vector<float> start(48), gradients(48), theirs, ours;
  core::Rng rng(2);
  for (float& x : start) x = static_cast<float>(rng.normal());
  for (float& x : gradients) x = static_cast<float>(rng.normal());
  auto left = gradients;
  ours = theirs = start;
  OptimizerState state = optimizer_state(muon, layout), other = optimizer_state(adam, layout);
  optimizer_step(muon, layout, 0.01, ours, left, state);
  CHECK(left == std::vector<float>([&] {
          auto rest = gradients;  // gaps between segments are nobody's
          for (const auto& s : layout.segments) std::fill_n(rest.begin() + s.offset, s.size, 0.0f);
          return rest;
        }()));
  left = gradients;
  optimizer_step(adam, layout, 0.01, theirs, left, other);
  for (size_t i = 16; i < 48; ++i) CHECK(ours[i] == theirs[i]);
  // A group is one row of three here: its orthogonal form is its direction, 0.2 sqrt(3) its factor.
  for (size_t group = 0; group < 4; ++group) {
    double norm = 0, step = 0, along = 0;
    for (size_t i = 3 * group; i < 3 * group + 3; ++i) {
      const double moved = start[i] * (1 - 0.001) - ours[i];
      norm += gradients[i] * gradients[i], step += moved * moved, along += moved * gradients[i];
    }
    CHECK(std::sqrt(step) == Approx(0.01 * 0.2 * std::sqrt(3.0)).epsilon(0.35));
    CHECK(along == Approx(std::sqrt(step * norm)).epsilon(1e-3));
  }
}

TEST_CASE("gradients are cut to a norm", "[train]") {
  std::vector<float> gradients{3.0f, 0.0f, -4.0f};
  CHECK(clip_gradients(10, gradients) == Approx(5));
  CHECK(gradients == std::vector<float>{3.0f, 0.0f, -4.0f});
  CHECK(clip_gradients(1, gradients) == Approx(5));
  CHECK(gradients[0] == Approx(0.6));
  CHECK(gradients[2] == Approx(-0.8));
}

TEST_CASE("frozen segments are found by the beginnings of their names and passed over", "[train]") {
  TrainOptions o;
  o.freeze = {"c.w", "b"};
  const auto layout = two_segments();
  const auto frozen = frozen_segments(o, layout);
  REQUIRE(frozen.size() == 2);
  CHECK(frozen[0].name == "c.weight");
  CHECK(frozen[1].name == "b.running_mean");
  OptimizerState state = optimizer_state(o, layout);
  Block block;
  block.set_gradients(1.0f, 1.0f, 1.0f);
  optimizer_step(o, learning_layout(layout, frozen), 0.1, block.values, block.gradients, state);
  CHECK(block.values[0] == 1.0f);
  CHECK(block.values[16] < 0.5f);
  o.freeze = {"c", "stem"};
  CHECK_THROWS_WITH(frozen_segments(o, layout), Catch::Contains("stem"));
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
