#include "train/loss.hpp"

#include <cmath>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"

namespace condenser::train {

TEST_CASE("cross-entropy of known logits", "[train]") {
  // softmax(0, ln 3) = (1/4, 3/4)
  const std::vector<float> logits{0.0f, std::log(3.0f)};
  const std::vector<int64_t> one{1};
  std::vector<float> gradient(2);
  std::vector<int64_t> predictions(1);
  LossSum sum = cross_entropy(logits, one, 2, 0.0, gradient, predictions);
  CHECK(sum.loss == Approx(-std::log(0.75)));
  CHECK(sum.correct == 1);
  CHECK(predictions[0] == 1);
  CHECK(gradient[0] == Approx(0.25));
  CHECK(gradient[1] == Approx(-0.25));

  // Smoothing 0.2 over two classes: targets (0.1, 0.9).
  sum = cross_entropy(logits, one, 2, 0.2, gradient);
  CHECK(sum.loss == Approx(-0.1 * std::log(0.25) - 0.9 * std::log(0.75)));
  CHECK(gradient[0] == Approx(0.25 - 0.1));
  CHECK(gradient[1] == Approx(0.75 - 0.9));
}

TEST_CASE("the gradient is the difference of the mean loss", "[train]") {
  core::Rng rng(1);
  constexpr int64_t kBatch = 4, kClasses = 7;
  std::vector<float> logits(kBatch * kClasses), gradient(logits.size());
  for (float& v : logits) v = static_cast<float>(2 * rng.normal());
  const std::vector<int64_t> labels{0, 6, 3, 3};
  cross_entropy(logits, labels, kClasses, 0.1, gradient);
  for (size_t i = 0; i < logits.size(); ++i) {
    auto moved = logits;
    moved[i] += 0.01f;
    const double up = cross_entropy(moved, labels, kClasses, 0.1).loss / kBatch;
    moved[i] -= 0.02f;
    const double down = cross_entropy(moved, labels, kClasses, 0.1).loss / kBatch;
    CHECK(gradient[i] == Approx((up - down) / 0.02).margin(1e-4));
  }
}

TEST_CASE("large logits stay finite, bad labels are refused", "[train]") {
  const std::vector<float> logits{1000.0f, -1000.0f};
  const std::vector<int64_t> one{1}, two{2};
  CHECK(cross_entropy(logits, one, 2, 0.1).loss == Approx(0.95 * 2000));
  CHECK_THROWS_WITH(cross_entropy(logits, two, 2, 0.1), Catch::Contains("label 2"));
}

}  // namespace condenser::train
