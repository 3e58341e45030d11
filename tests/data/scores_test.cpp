// Figures worked out by hand.
#include "data/scores.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace condenser::data {

TEST_CASE("macro F1 and balanced accuracy of a confusion matrix", "[data]") {
  // Class c never occurs, d is only predicted.
  const std::vector<std::vector<int64_t>> confusion{{3, 1, 0, 0}, {2, 1, 0, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}};
  const auto counts = counts_of(confusion);
  CHECK(counts[0].true_positive == 3);
  CHECK(counts[0].false_positive == 2);
  CHECK(counts[0].false_negative == 1);
  CHECK(counts[0].true_negative == 2);
  CHECK(macro_f1(counts) == Approx((6.0 / 9 + 2.0 / 6 + 0) / 3));
  CHECK(balanced_accuracy(counts) == Approx((3.0 / 4 + 1.0 / 4) / 2));
}

TEST_CASE("area under the curve by pairs", "[data]") {
  // Class 0: positives at 0.8, 0.4; others at 0.6, 0.4, 0.1: of six pairs 4 are right, one is a tie.
  // Class 1: one kind of item only.
  const std::vector<float> outputs{0.8f, 0, 0.6f, 0, 0.4f, 0, 0.4f, 0, 0.1f, 0};
  const std::vector<uint8_t> marks{1, 1, 0, 1, 1, 1, 0, 1, 0, 1};
  CHECK(macro_auc(outputs, marks, 2) == Approx(4.5 / 6));
  CHECK(std::isnan(macro_auc(std::vector<float>{1, 2}, std::vector<uint8_t>{1, 1}, 1)));
  CHECK(std::isnan(macro_auc(std::vector<float>{1, NAN}, std::vector<uint8_t>{1, 0}, 1)));
}

}  // namespace condenser::data
