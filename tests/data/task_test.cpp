// Decisions, and figures worked out by hand from logits.
#include "condenser/data/anomaly.hpp"
#include "condenser/data/metrics.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "train/marked_dataset.hpp"

namespace condenser::data {
namespace {

const std::vector<float> kLogits{2, -1, 0.5f};

Task choice_of(int64_t classes) { return {.classes = classes}; }
Task decisions_of(int64_t classes) { return {.classes = classes, .independent = true}; }
Task labels_of(int64_t classes) { return {.classes = classes, .independent = true, .several = true}; }

}  // namespace

TEST_CASE("outputs are read as the task says", "[data]") {
  std::vector<float> p(3);
  probabilities(choice_of(3), kLogits, p);
  const double whole = std::exp(2) + std::exp(-1) + std::exp(0.5);
  CHECK(p[0] == Approx(std::exp(2) / whole));
  CHECK(p[0] + p[1] + p[2] == Approx(1));
  probabilities(decisions_of(3), kLogits, p);
  CHECK(p[1] == Approx(1 / (1 + std::exp(1))));
  CHECK(choice(std::vector<float>{1, 3, 3}) == 1);
}

TEST_CASE("an answer is right by label or by all marks", "[data]") {
  CHECK(right(choice_of(3), kLogits, {.label = 0, .marks = {}}));
  CHECK_FALSE(right(choice_of(3), kLogits, {.label = 2, .marks = {}}));
  const std::vector<float> both{1, 0, 1}, one{1, 0, 0};
  CHECK(right(labels_of(3), kLogits, {.label = 0, .marks = both}));
  CHECK_FALSE(right(labels_of(3), kLogits, {.label = 0, .marks = one}));
  CHECK(right(decisions_of(3), kLogits, {.label = 0, .marks = one}));  // one class per item: the likeliest
}

TEST_CASE("losses are those of the formulas", "[data]") {
  const std::vector<float> marks{0, 1, 0};
  const double whole = std::exp(2) + std::exp(-1) + std::exp(0.5);
  CHECK(loss(choice_of(3), kLogits, marks) == Approx(std::log(whole) + 1));
  const auto no = [](double z) { return std::log1p(std::exp(z)); };
  CHECK(loss(decisions_of(3), kLogits, marks) == Approx((no(2) + no(1) + no(0.5)) / 3));
  CHECK(std::isfinite(loss(choice_of(3), std::vector<float>{1e30f, -1e30f, 0}, marks)));
}

TEST_CASE("outputs that are not finite are an error that names the item", "[data]") {
  const auto dataset = make_image_dataset({1, 1, 1}, {"a", "b"}, {}, {0, 0}, {0, 1});
  Scorer scorer(*dataset, task_of(*dataset, false));
  CHECK_THROWS_WITH(scorer.add(std::vector<float>{0, 1, 0, NAN}),
                    Catch::Contains("item 1") && Catch::Contains("output 1") && Catch::Contains("nan"));
}

TEST_CASE("a reconstruction is scored by its error, and its error tells anomalies", "[data]") {
  const auto plain =
      make_image_dataset({1, 1, 2}, {"a", "b", "c"}, {{0}, {1}}, {0, 0, 255, 0, 0, 255, 255, 255}, {0, 1, 1, 2});
  const auto told = tell_anomalies(std::shared_ptr<const Dataset>(plain.get(), [](const auto*) {}), {"a", "c"});
  CHECK(tells_anomalies(told->classes()));
  CHECK(told->label(0) == 0);
  CHECK(told->label(1) == 1);
  CHECK(told->label(3) == 0);
  CHECK(normal_items(told)->size() == 2);
  const Task task = reconstruction_task(2, told->shape());
  CHECK(task.outputs() == 2);
  CHECK(output_misfit(task, {2, 1, 1}).empty());
  CHECK(output_misfit(task, {1, 2, 1}).empty());
  CHECK_THAT(output_misfit(task, {3, 1, 1}), Catch::Contains("2 values"));
  const std::vector<float> outputs{0.5f, 0, 1, 1, 0, 0, 1, 0.8f};  // errors 0.125, 0.5, 0.5, 0.02
  Scorer scorer(*told, task);
  scorer.add(std::span(outputs).first(4));
  scorer.add(std::span(outputs).subspan(4));
  const Evaluation e = scorer.finish();
  REQUIRE(e.errors.size() == 4);
  CHECK(e.errors[0] == Approx(0.125));
  CHECK(e.errors[3] == Approx(0.02));
  CHECK(e.reconstruction_error == Approx((0.125 + 0.02) / 2));  // of the normal items
  CHECK(e.loss == e.reconstruction_error);
  CHECK(e.auc == Approx(100));
  CHECK(std::isnan(find_metric("accuracy").value(e)));
  CHECK(find_metric("reconstruction_error").value(e) == e.reconstruction_error);
  CHECK(score_of(find_metric("reconstruction_error"), e) < 0);
  Scorer untold(*plain, reconstruction_task(3, plain->shape()));
  untold.add(outputs);
  const Evaluation all = untold.finish();
  CHECK(all.reconstruction_error == Approx((0.125 + 0.5 + 0.5 + 0.02) / 4));
  CHECK(std::isnan(all.auc));
  CHECK_THROWS_WITH(tell_anomalies(told, {"norml"}), Catch::Contains("did you mean normal?"));
  CHECK_THROWS_WITH(tell_anomalies(told, {"normal", "anomalous"}), Catch::Contains("all classes"));
}

TEST_CASE("every metric of the table says when it has no value", "[data]") {
  CHECK(metrics().front().name == "accuracy");
  CHECK_THROWS_WITH(find_metric("top5"), Catch::Contains("accuracy"));
  for (const Metric& metric : metrics()) {
    INFO(metric.name);
    CHECK(&find_metric(metric.name) == &metric);
    const bool of_items = metric.name == "reconstruction_error";
    CHECK(metric.undefined({.classes = 3}).empty() != of_items);
    CHECK(metric.undefined({.classes = 3, .several = true, .positives = 4, .contrasts = 1}).empty() != of_items);
    const bool of_both = of_items || metric.name == "loss" || metric.name == "auc";
    const LabelFacts told{.classes = 2, .told = true, .kind = TaskKind::Reconstruction};
    CHECK(metric.undefined(told).empty() == of_both);
  }
  CHECK_THAT(find_metric("auc").undefined({.classes = 101}), Catch::Contains("101"));
  CHECK_FALSE(find_metric("auc").undefined({.classes = 2, .positives = 4, .contrasts = 0}).empty());
}

// What the table calls undefined is what comes out as NaN, and the other way round.
TEST_CASE("metrics without a value are those that the labels cannot define", "[data]") {
  const std::vector<std::vector<std::vector<int>>> cases{
      {{1, 0}, {0, 1}, {1, 1}}, {{0, 0}, {0, 0}}, {{1, 1}, {1, 1}}, {{1, 0}, {1, 0}}, {{1, 0}, {1, 1}}};
  for (const auto& marks : cases) {
    const testing::MarkedDataset dataset({1, 1, 1}, 2, marks, std::vector<float>(marks.size()));
    Scorer scorer(dataset, task_of(dataset, true));
    scorer.add(std::vector<float>(marks.size() * 2, -1.0f));
    const Evaluation e = scorer.finish();
    for (const Metric& metric : metrics()) {
      INFO(metric.name << ", " << marks.size() << " items, first " << marks[0][0] << marks[0][1]);
      CHECK(std::isnan(metric.value(e)) == !metric.undefined(label_facts(dataset)).empty());
    }
  }
}

TEST_CASE("logits of one class per item become an evaluation", "[data]") {
  const auto dataset = make_image_dataset({1, 1, 1}, {"a", "b"}, {}, {0, 0, 0, 0}, {0, 0, 1, 1});
  Scorer scorer(*dataset, task_of(*dataset, false));
  const float z = std::log(3.0f);
  scorer.add(std::vector<float>{z, 0, 0, z});  // right with 3/4, wrong
  scorer.add(std::vector<float>{0, z, 0, z});
  const Evaluation e = scorer.finish();
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
  CHECK(score_of(find_metric("accuracy"), e) == Approx(75));
  CHECK(score_of(find_metric("loss"), e) == -e.loss);
}

TEST_CASE("logits of several classes per item become an evaluation", "[data]") {
  const testing::MarkedDataset dataset({1, 1, 1}, 2, {{1, 0}, {1, 1}, {0, 0}}, std::vector<float>(3));
  Scorer scorer(dataset, task_of(dataset, true));
  scorer.add(std::vector<float>{2, -2, -1, 1, -2, 3});  // all right, one wrong, one wrong
  const Evaluation e = scorer.finish();
  CHECK(e.correct == 1);
  CHECK(e.confusion.empty());
  CHECK(e.macro_f1 == Approx(100 * (2.0 / 3 + 2.0 / 3) / 2));
  CHECK(e.balanced_accuracy == Approx(100 * ((0.5 + 1) / 2 + (1 + 0.5) / 2) / 2));
  CHECK(e.auc == Approx(100 * (1.0 + 0.5) / 2));
}

}  // namespace condenser::data
