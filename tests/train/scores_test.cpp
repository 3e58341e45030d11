// Figures worked out by hand, and through an Examination from logits.
#include "train/scores.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "train/examination.hpp"
#include "train/marked_dataset.hpp"

namespace condenser::train {

TEST_CASE("macro F1 and balanced accuracy of a confusion matrix", "[train]") {
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

TEST_CASE("area under the curve by pairs", "[train]") {
  // Class 0: positives at 0.8, 0.4; others at 0.6, 0.4, 0.1: of six pairs 4 are right, one is a tie.
  // Class 1: one kind of item only.
  const std::vector<float> outputs{0.8f, 0, 0.6f, 0, 0.4f, 0, 0.4f, 0, 0.1f, 0};
  const std::vector<uint8_t> marks{1, 1, 0, 1, 1, 1, 0, 1, 0, 1};
  CHECK(macro_auc(outputs, marks, 2) == Approx(4.5 / 6));
  CHECK(std::isnan(macro_auc(std::vector<float>{1, 2}, std::vector<uint8_t>{1, 1}, 1)));
  CHECK(std::isnan(macro_auc(std::vector<float>{1, NAN}, std::vector<uint8_t>{1, 0}, 1)));
}

TEST_CASE("logits of one class per item become an evaluation", "[train]") {
  const auto dataset = data::make_image_dataset({1, 1, 1}, {"a", "b"}, {}, {0, 0, 0, 0}, {0, 0, 1, 1});
  Examination examination(*dataset, LossKind::CrossEntropy);
  const float z = std::log(3.0f);
  examination.add(0, std::vector<float>{z, 0, 0, z});  // right with 3/4, wrong
  examination.add(2, std::vector<float>{0, z, 0, z});
  const Evaluation e = examination.finish();
  CHECK(e.correct == 3);
  CHECK(e.total == 4);
  CHECK(e.loss == Approx(-(3 * std::log(0.75) + std::log(0.25)) / 4));
  CHECK(e.confusion == std::vector<std::vector<int64_t>>{{1, 1}, {0, 2}});
  CHECK(e.balanced_accuracy == Approx(75));
  CHECK(e.macro_f1 == Approx(100 * (2.0 / 3 + 4.0 / 5) / 2));
  REQUIRE(e.predictions.size() == 4);
  CHECK(e.predictions[1].predicted == 1);
  CHECK(e.predictions[1].probability == Approx(0.75));
  CHECK(e.auc == Approx(75));  // two pairs right, two ties
  CHECK(score_of(e, "accuracy") == Approx(75));
  CHECK(score_of(e, "loss") == -e.loss);
}

TEST_CASE("logits of several classes per item become an evaluation", "[train]") {
  const testing::MarkedDataset dataset({1, 1, 1}, 2, {{1, 0}, {1, 1}, {0, 0}}, std::vector<float>(3));
  Examination examination(dataset, LossKind::Binary);
  examination.add(0, std::vector<float>{2, -2, -1, 1, -2, 3});  // all right, one wrong, one wrong
  const Evaluation e = examination.finish();
  CHECK(e.correct == 1);
  CHECK(e.confusion.empty());
  CHECK(e.macro_f1 == Approx(100 * (2.0 / 3 + 2.0 / 3) / 2));
  CHECK(e.balanced_accuracy == Approx(100 * ((0.5 + 1) / 2 + (1 + 0.5) / 2) / 2));
  CHECK(e.auc == Approx(100 * (1.0 + 0.5) / 2));
}

}  // namespace condenser::train
