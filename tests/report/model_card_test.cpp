// The model card says what the run left, and nothing that it did not.
#include "condenser/report/model_card.hpp"

#include "report/sample_run.hpp"
#include "support/catch.hpp"

namespace condenser::report {
namespace {

using Catch::Matchers::Contains;

CardFacts facts() {
  return {.source = "a line of the factory",
          .license = "",
          .item = "grey picture",
          .classes = {"a", "b"},
          .training_items = 1600,
          .recipe = {{"train.epochs", "16"}},
          .reproduce = "condenser run config.resolved.yaml"};
}

Material measured(std::vector<std::vector<int64_t>> counts) {
  Material m = tests::whole_run();
  Evaluated e{.part = "test part", .test = true};
  e.confusion = {{"a", "b"}, std::move(counts)};
  for (size_t i = 0; i < 2; ++i)
    for (size_t k = 0; k < 2; ++k) {
      e.accuracy.total += e.confusion.counts[i][k];
      if (i == k) e.accuracy.correct += e.confusion.counts[i][k];
    }
  m.evaluated = e;
  return m;
}

std::string card(const Material& m) { return to_text(model_card(m, facts())); }

}  // namespace

TEST_CASE("a model card names classes that are not to be relied on", "[report]") {
  CHECK_THAT(card(measured({{90, 10}, {21, 79}})), Contains("not to be relied on for b (79.0 % found)"));
  CHECK_THAT(card(measured({{90, 10}, {20, 80}})), !Contains("not to be relied on"));
}

TEST_CASE("a model card says how well an accuracy is known", "[report]") {
  CHECK_THAT(card(measured({{90, 10}, {20, 80}})),
             Contains("The test part has 200 items") && Contains("to either side"));
  CHECK_THAT(card(measured({{900, 100}, {200, 800}})), !Contains("to either side"));
  Material m = measured({{1, 1}, {1, 1}});
  m.evaluated.reset();
  m.quantized.reset();
  CHECK_THAT(card(m), Contains("was not measured on a test part") && Contains("Not measured."));
}

TEST_CASE("a model card tells data, recipe and what nobody has stated", "[report]") {
  const std::string text = card(measured({{90, 10}, {20, 80}}));
  CHECK_THAT(text, Contains("a line of the factory") && Contains("not stated") && Contains("1,600") &&
                       Contains("train.epochs") && Contains("chooses one of 2 classes: a, b."));
  CardFacts several = facts();
  several.independent = true;
  CHECK_THAT(to_text(model_card(measured({{90, 10}, {20, 80}}), several)),
             Contains("decides for each of 2 classes") && !Contains("one of its classes whatever it is shown"));
}

}  // namespace condenser::report
