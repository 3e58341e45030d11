#include "train/loss/objective.hpp"

#include "support/catch.hpp"
#include "train/marked_dataset.hpp"

namespace condenser::train {
namespace {

std::shared_ptr<const data::Dataset> skewed() {
  return data::make_image_dataset({1, 1, 1}, {"a", "b", "c"}, {}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 1, 1});
}

const testing::MarkedDataset& marked() {
  static const testing::MarkedDataset dataset({1, 1, 1}, 2, {{1, 0}, {1, 1}, {1, 0}, {0, 0}}, std::vector<float>(4));
  return dataset;
}

}  // namespace

TEST_CASE("balancing weights are inverse frequencies", "[train]") {
  CHECK(balancing_weights(LossKind::CrossEntropy, *skewed()) == std::vector<double>{0.5, 1.0, 1.0});
  CHECK(balancing_weights(LossKind::Binary, *skewed()) == std::vector<double>{0.5, 2.0, 1.0});
  CHECK(balancing_weights(LossKind::Binary, marked()) == std::vector<double>{1.0 / 3, 3.0});
}

TEST_CASE("the objective follows options and data", "[train]") {
  TrainOptions o;
  Objective objective = objective_of(o, *skewed());
  CHECK(objective.kind == LossKind::CrossEntropy);
  CHECK_FALSE(objective.multi_label);
  CHECK(objective.smoothing == 0.1);
  CHECK(objective.class_weights.empty());
  CHECK(objective.distill == 0);
  objective = objective_of(o, marked());
  CHECK(objective.kind == LossKind::Binary);
  CHECK(objective.multi_label);
  o.balance = "weights", o.loss = "binary", o.distill.teacher = "somewhere";
  objective = objective_of(o, *skewed());
  CHECK(objective.kind == LossKind::Binary);
  CHECK(objective.class_weights.size() == 3);
  CHECK(objective.distill == 0.5);
  CHECK(objective.temperature == 4);
}

}  // namespace condenser::train
