// Each warning at its limit: said when it holds, and not a step before.

#include "condenser/report/warnings.hpp"

#include <algorithm>

#include "report/sample_run.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using report::Material;

namespace {

std::string message(const Material& m, const std::string& code) {
  for (const report::Warning& w : report::warnings(m))
    if (w.code == code) return w.message;
  return "";
}

// A run whose test part has so many right.
Material with_test(std::vector<std::vector<int64_t>> counts) {
  Material m = tests::whole_run();
  m.quantized.reset();
  m.evaluated->confusion.counts = std::move(counts);
  quant::Accuracy& a = m.evaluated->accuracy;
  a = {};
  for (size_t k = 0; k < 2; ++k)
    for (size_t j = 0; j < 2; ++j) {
      a.total += m.evaluated->confusion.counts[k][j];
      a.correct += k == j ? m.evaluated->confusion.counts[k][j] : 0;
    }
  return m;
}

}  // namespace

TEST_CASE("a good run has no warnings, neither has one that has not begun", "[report]") {
  CHECK(report::warnings(tests::whole_run()).empty());
  CHECK(report::warnings(tests::bare_run()).empty());
}

TEST_CASE("accuracy at chance, below it, and of one class", "[report]") {
  CHECK_THAT(message(with_test({{260, 240}, {250, 250}}), "accuracy_at_chance"),
             Contains("cannot be told from guessing among 2 classes, 50.00 %"));
  CHECK_THAT(message(with_test({{100, 400}, {400, 100}}), "accuracy_at_chance"), Contains("is below guessing"));
  const Material skewed = with_test({{900, 0}, {95, 5}});
  CHECK(message(skewed, "accuracy_at_chance").empty());
  CHECK_THAT(message(skewed, "accuracy_of_one_class"), Contains("always answering 'a|b', 90.00 %"));
  CHECK(message(with_test({{900, 0}, {40, 60}}), "accuracy_of_one_class").empty());
}

TEST_CASE("without an evaluation of the test part the quantizer's accuracy counts", "[report]") {
  Material m = tests::whole_run();
  m.evaluated.reset();
  m.quantized->as_float = m.quantized->as_int8 = {10, 20};
  CHECK(!message(m, "accuracy_at_chance").empty());
  CHECK_THAT(message(m, "few_test_items"), Contains("with 20 test items"));
  m.evaluated = report::Evaluated{.part = "validation part", .accuracy = {999, 1000}};  // is not the test part
  CHECK(report::test_accuracy(m)->total == 20);
}

TEST_CASE("int8 behind float names the noisiest node", "[report]") {
  Material m = tests::whole_run();
  m.quantized->as_int8 = {930, 1000};
  CHECK_THAT(message(m, "int8_behind_float"), Contains("4.00 points") && Contains("node stem, 40.5 dB"));
  m.quantized->as_int8 = {966, 1000};
  CHECK(message(m, "int8_behind_float").empty());
  m.quantized->as_int8 = {990, 1000};
  CHECK(message(m, "int8_behind_float").empty());
  m.quantized->as_float = {38, 40};  // between 83.5 and 98.6 %
  m.quantized->as_int8 = {35, 40};
  CHECK(!message(m, "int8_behind_float").empty());
  m.quantized->as_int8 = {37, 40};  // a single item
  CHECK(message(m, "int8_behind_float").empty());
  m.quantized->nodes.clear();
  m.quantized->as_int8 = {0, 40};
  CHECK(!message(m, "int8_behind_float").empty());
}

TEST_CASE("classes that are never named are listed", "[report]") {
  CHECK_THAT(message(with_test({{500, 0}, {500, 0}}), "class_never_predicted"),
             Contains("test part") && Contains("'c'"));
  CHECK(message(with_test({{500, 0}, {0, 0}}), "class_never_predicted").empty());  // there is none to be named
}

TEST_CASE("few steps, an epoch or in all", "[report]") {
  Material m = tests::whole_run();
  m.trained->items = 9 * 128 + 127;
  CHECK_THAT(message(m, "few_steps"), Contains("only 9 steps an epoch, 144 in all"));
  m.trained->items = 10 * 128;
  CHECK(message(m, "few_steps").empty());
  m.trained->epochs = 9;
  CHECK(!message(m, "few_steps").empty());
  m.trained->epochs = 0;  // weights that came from elsewhere
  CHECK(message(m, "few_steps").empty());
  m.trained->items.reset();
  CHECK(message(m, "few_steps").empty());
}

TEST_CASE("validation figures of items that were trained on", "[report]") {
  Material m = tests::whole_run();
  m.trained->on_validation = true;
  CHECK_THAT(message(m, "trained_on_validation"),
             Contains("97.50 % is no measure") && Contains("the test part says 97.00 %"));
  m.trained->validation = {};
  CHECK(message(m, "trained_on_validation").empty());
}

TEST_CASE("limits that do not hold, comparators of other data, checks that did not run, findings about data",
          "[report]") {
  Material m = tests::whole_run();
  m.verdicts.push_back({"beats_comparator", false, "", "98.5 %", "at least 98.6 % (DS-CNN)"});
  m.proof->skipped = {"c99, clang -O2: clang is not installed"};
  m.data_findings = {{"unused_files", "3 files are not used"}};
  CHECK_THAT(message(m, "limit_missed"), Contains("beats_comparator does not hold: 98.5 %; limit at least 98.6 %"));
  CHECK(report::warnings(m).front().code == "limit_missed");
  CHECK_THAT(message(m, "check_skipped"), Contains("clang is not installed"));
  CHECK(message(m, "unused_files") == "3 files are not used");
  CHECK(message(m, "gate_fitted_to_data").empty());
  m.gate_notes = {"comparator DS-CNN was measured on mnist: not applied"};
  CHECK(message(m, "gate_fitted_to_data") == m.gate_notes[0]);
}
