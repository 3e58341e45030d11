// What the report says of int8: how it was chosen, where it loses, what may be tried.
#include "condenser/report/material.hpp"
#include "report/charts.hpp"
#include "report/sample_run.hpp"
#include "report/sections/int8_advice.hpp"
#include "support/catch.hpp"

using namespace condenser;
using namespace condenser::report;
using Catch::Contains;

namespace {

std::vector<int64_t> bins(int64_t each, size_t used) {
  std::vector<int64_t> all(quant::kHistogramBins);
  std::fill_n(all.begin(), used, each);
  return all;
}

// Int8 loses a point; node b costs most.
Quantized losing() {
  Quantized q{.rounding = "double",
              .observer = "mse",
              .way = "mse, nearest rounding",
              .metric = "accuracy",
              .metric_unit = "%",
              .in_float = {{"a", 90.5}, {"b", 93.0}, {"c", 89.0}},
              .none_in_float = 90.0};
  q.as_float = {950, 1000};
  q.as_int8 = {940, 1000};
  q.nodes = {{"a", 30, 0, {0.1, 0}, bins(10, 64)}, {"b", 10, 0, {0.5, 4}, bins(10, 64)}};
  return q;
}

}  // namespace

TEST_CASE("gains of single nodes are sorted, whichever way the metric goes", "[report]") {
  Quantized q = losing();
  std::vector<NodeGain> gains = gains_of(q);
  REQUIRE(gains.size() == 3);
  CHECK(gains[0].node == "b");
  CHECK(gains[0].gain == 3);
  CHECK(gains[2].gain == -1);
  q.more_is_better = false;
  CHECK(gains_of(q)[0].node == "c");
  q.none_in_float = NAN;
  CHECK(gains_of(q).empty());
}

TEST_CASE("advice follows from what was measured", "[report]") {
  Quantized q = losing();
  const auto first = [&] { return int8_advice(q).at(0); };
  CHECK_THAT(first(), Contains("Node b costs most: alone in floats it gives back 3 points of accuracy") &&
                          Contains("quantize.qat.epochs=5"));
  q.nodes[1].saturated_fraction = 0.02;
  CHECK_THAT(first(), Contains("2.0 % of its values lie outside of its range"));
  q.nodes[1].saturated_fraction = 0;
  q.nodes[1].histogram = bins(10, 8);
  CHECK_THAT(first(), Contains("share few integers"));
  q.nodes[1].histogram = bins(10, 9);
  q.trained_epochs = 3;
  CHECK_THAT(first(), Contains("try more quantize.qat.epochs"));
  q.in_float = {{"a", 89.0}};
  CHECK_THAT(first(), Contains("No node alone in floats gives anything back"));
  q.in_float.clear();
  CHECK_THAT(first(), Contains("quantize.sensitivity=96"));
  CHECK_THAT(int8_advice(q).back(), Contains("--auto"));
  q.tried = {{"mse, nearest rounding", 90, 0.1, true}};
  CHECK(int8_advice(q).size() == 1);
  q.as_int8 = q.as_float;
  CHECK(int8_advice(q).empty());
}

TEST_CASE("the report shows ways to quantize, gains and ranges where they were measured", "[report]") {
  Material m = tests::whole_run();
  const std::string before = to_html(run_page(m));
  for (const char* absent : {"Ways that were tried", "Where accuracy is lost", "Values in the int8 range"})
    CHECK_THAT(before, !Contains(absent));
  m.quantized = losing();
  m.quantized->tried = {{"min_max, nearest rounding", 88, 0.5, false}, {"mse, nearest rounding", 90, 0.25, true}};
  m.quantized->nodes[0].node = "<a>";
  const std::string page = to_html(run_page(m));
  for (const char* present : {"Ways that were tried", "min_max, nearest rounding", "taken", "Where accuracy is lost",
                              "What accuracy gains with one node in floats", "Values in the int8 range",
                              "Node b costs most", "&lt;a&gt;: -12.8 to 12.7, zero at 0, values in 64 of 64 bins"})
    CHECK_THAT(page, Contains(present));
  CHECK_THAT(page, !Contains("<a>"));
}

TEST_CASE("the chart of ranges says how much of a range is used", "[report]") {
  CHECK(ranges_svg({{"a", 30, 0, {0.1, 0}}}).empty());
  const std::string svg = ranges_svg({{"a", 30, 0.25, {0.5, -28}, bins(5, 3)}, {"empty", 1, 1, {1, 0}, bins(0, 0)}});
  CHECK_THAT(svg, Contains("a: -50 to 77.5, zero at -28, values in 3 of 64 bins, 25.000 % outside"));
  CHECK_THAT(svg, Contains("empty: -128 to 127, zero at 0, values in 0 of 64 bins"));
  CHECK_THAT(svg, !Contains("nan"));
}
