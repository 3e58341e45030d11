#include "train/loss/loss.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"

namespace condenser::train {
namespace {

constexpr int64_t kBatch = 4, kClasses = 7;

struct Example {
  std::vector<float> logits = std::vector<float>(kBatch * kClasses), marks = logits, teacher = logits;
  std::vector<int64_t> labels{0, 6, 3, 3};

  Example() {
    core::Rng rng(1);
    for (float& v : logits) v = static_cast<float>(2 * rng.normal());
    for (float& v : teacher) v = static_cast<float>(2 * rng.normal());
    for (float& v : marks) v = static_cast<float>(rng.uniform());
  }

  Targets targets(bool marked, bool taught) const {
    return {.labels = labels,
            .marks = marked ? std::span<const float>(marks) : std::span<const float>(),
            .teacher = taught ? std::span<const float>(teacher) : std::span<const float>()};
  }
};

Targets of(const std::vector<int64_t>& labels) { return {.labels = labels, .marks = {}, .teacher = {}}; }

}  // namespace

TEST_CASE("cross-entropy of known logits", "[train]") {
  // softmax(0, ln 3) = (1/4, 3/4)
  const std::vector<float> logits{0.0f, std::log(3.0f)};
  const std::vector<int64_t> one{1};
  std::vector<float> gradient(2);
  std::vector<int64_t> predictions(1);
  LossSum sum = loss({}, 2, logits, of(one), 1, gradient, predictions);
  CHECK(sum.loss == Approx(-std::log(0.75)));
  CHECK(sum.correct == 1);
  CHECK(predictions[0] == 1);
  CHECK(gradient[0] == Approx(0.25));
  CHECK(gradient[1] == Approx(-0.25));

  // Smoothing 0.2 over two classes: targets (0.1, 0.9).
  sum = loss({.smoothing = 0.2}, 2, logits, of(one), 1, gradient);
  CHECK(sum.loss == Approx(-0.1 * std::log(0.25) - 0.9 * std::log(0.75)));
  CHECK(gradient[0] == Approx(0.25 - 0.1));
  CHECK(gradient[1] == Approx(0.75 - 0.9));

  // Marks (0.5, 0.5) and weights (2, 4): targets (1, 2).
  const std::vector<float> half{0.5f, 0.5f};
  sum = loss({.class_weights = {2, 4}}, 2, logits, {.labels = one, .marks = half, .teacher = {}}, 1, gradient);
  CHECK(sum.loss == Approx(-std::log(0.25) - 2 * std::log(0.75)));
  CHECK(gradient[0] == Approx(3 * 0.25 - 1));
}

// Threads take as many items as have 1,024 logits.
TEST_CASE("the loss of many items is that of each", "[train]") {
  constexpr int64_t kMany = 300;
  core::Rng rng(2);
  const std::vector<int64_t> labels{7, 0, 299, 3, 3, 120, 50, 8};
  std::vector<float> logits(labels.size() * kMany), gradient(logits.size());
  for (float& v : logits) v = static_cast<float>(rng.normal());
  logits[kMany * 2 + 299] = 9;  // right
  std::vector<int64_t> predictions(labels.size());
  const LossSum all = loss({.smoothing = 0.1}, kMany, logits, of(labels), 3, gradient, predictions);
  LossSum sum;
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::vector<int64_t> label{labels[i]};
    std::vector<int64_t> prediction(1);
    std::vector<float> one(kMany);
    const auto from = std::span(logits).subspan(i * kMany, kMany);
    sum += loss({.smoothing = 0.1}, kMany, from, of(label), 3, one, prediction);
    CHECK(std::equal(one.begin(), one.end(), gradient.begin() + static_cast<std::ptrdiff_t>(i * kMany)));
    CHECK(prediction[0] == predictions[i]);
  }
  CHECK(all.loss == sum.loss);
  CHECK(all.correct == sum.correct);
  CHECK(all.correct >= 1);
}

TEST_CASE("binary cross-entropy of known logits", "[train]") {
  // sigmoid(0, ln 3) = (1/2, 3/4)
  const std::vector<float> logits{0.0f, std::log(3.0f)};
  const std::vector<int64_t> none{-1};
  const std::vector<float> marks{0.0f, 1.0f}, wrong{1.0f, 1.0f};
  std::vector<float> gradient(2);
  Objective o{.kind = LossKind::Binary, .multi_label = true, .class_weights = {1, 3}};
  LossSum sum = loss(o, 2, logits, {.labels = none, .marks = marks, .teacher = {}}, 1, gradient);
  CHECK(sum.loss == Approx(0.5 * (-std::log(0.5) - 3 * std::log(0.75))));
  CHECK(sum.correct == 1);
  CHECK(gradient[0] == Approx(0.5 * 0.5));
  CHECK(gradient[1] == Approx(0.5 * 3 * (0.75 - 1)));
  CHECK(loss(o, 2, logits, {.labels = none, .marks = wrong, .teacher = {}}, 1).correct == 0);
}

TEST_CASE("distillation adds the divergence from the teacher", "[train]") {
  // At temperature 2 logits (0, 2 ln 3) give (1/4, 3/4), a teacher of equal logits (1/2, 1/2).
  const std::vector<float> logits{0.0f, 2 * std::log(3.0f)}, teacher{5.0f, 5.0f};
  const std::vector<int64_t> one{1};
  const Targets targets{.labels = one, .marks = {}, .teacher = teacher};
  const double divergence = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
  CHECK(loss({.distill = 1, .temperature = 2}, 2, logits, targets, 1).loss == Approx(4 * divergence));
  CHECK(loss({.distill = 0.5, .temperature = 2}, 2, logits, targets, 1).loss ==
        Approx(0.5 * 4 * divergence - 0.5 * std::log(0.9)));
}

TEST_CASE("the gradient is the difference of the loss", "[train]") {
  const Example e;
  const auto kind = GENERATE(LossKind::CrossEntropy, LossKind::Binary);
  const bool marked = GENERATE(false, true), taught = GENERATE(false, true);
  const Objective o{
      .kind = kind, .smoothing = 0.1, .class_weights = {1, 2, 0.5, 1, 3, 1, 1}, .distill = 0.3, .temperature = 3};
  std::vector<float> gradient(e.logits.size());
  loss(o, kClasses, e.logits, e.targets(marked, taught), kBatch, gradient);
  for (size_t i = 0; i < e.logits.size(); ++i) {
    auto moved = e.logits;
    moved[i] += 0.01f;
    const double up = loss(o, kClasses, moved, e.targets(marked, taught), 1).loss / kBatch;
    moved[i] -= 0.02f;
    const double down = loss(o, kClasses, moved, e.targets(marked, taught), 1).loss / kBatch;
    CHECK(gradient[i] == Approx((up - down) / 0.02).margin(1e-4));
  }
}

TEST_CASE("the squared error of values and its gradient", "[train]") {
  const std::vector<float> outputs{1, 2, 0, -1}, values{0, 2, 0, 1};
  const std::vector<int64_t> labels{-1, -1};
  std::vector<float> gradient(4);
  const LossSum sum = loss({.kind = LossKind::SquaredError, .smoothing = 0.1}, 2, outputs,
                           {.labels = labels, .marks = values, .teacher = {}}, 2, gradient);
  CHECK(sum.loss == Approx(0.5 + 2));
  CHECK(sum.correct == 0);
  CHECK(gradient == std::vector<float>{0.5f, 0, 0, -1});  // 2 difference / 2 values / 2 items
}

TEST_CASE("large logits stay finite, bad labels are refused", "[train]") {
  const std::vector<float> logits{1000.0f, -1000.0f};
  const std::vector<int64_t> one{1}, two{2};
  CHECK(loss({.smoothing = 0.1}, 2, logits, of(one), 1).loss == Approx(0.95 * 2000));
  CHECK(loss({.kind = LossKind::Binary}, 2, logits, of(one), 1).loss == Approx(1000));
  CHECK_THROWS_WITH(loss({}, 2, logits, of(two), 1), Catch::Contains("label 2"));
}

}  // namespace condenser::train
