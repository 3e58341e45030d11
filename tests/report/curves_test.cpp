// Charts by measure, both parts in one, nothing drawn of nothing, damaged files named.

#include "condenser/report/curves.hpp"

#include "condenser/core/error.hpp"
#include "report/xml_fault.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using condenser::report::curves_svg;
using condenser::tests::xml_fault;

namespace {

constexpr const char* kHeader = "step,train/loss,train/acc,val/loss,val/acc1,lr,images_per_s,seconds\n";

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("one chart a measure with training and validation together, clocks left out", "[report]") {
  const std::string svg = curves_svg(std::string(kHeader) +
                                         "1,2.1,40,1.9,45.5,0.05,1000,1\n"
                                         "2,1.0,70,0.9,81.25,0.1,1000,2\n"
                                         "3,0.6,85,1.1,80,0.01,1000,3\n",
                                     "digits & co");
  CHECK(xml_fault(svg) == "");
  CHECK_THAT(svg, Contains(">loss</text>") && Contains(">accuracy, %</text>") && Contains(">learning rate</text>"));
  CHECK_THAT(svg, !Contains("images_per_s") && !Contains("seconds"));
  CHECK(count(svg, "stroke-linejoin") == 5);
  CHECK_THAT(svg, Contains("validation, best 0.9 at 2"));    // of a loss the lowest
  CHECK_THAT(svg, Contains("validation, best 81.25 at 2"));  // of an accuracy the highest
  CHECK_THAT(svg, Contains("digits &amp; co"));
}

TEST_CASE("curves of a validation part that was trained on say so and have no best", "[report]") {
  const std::string csv = std::string(kHeader) + "1,2.1,40,1.9,45.5,0.05,1000,1\n20000,1.0,70,0.9,99.995,0.1,1000,2\n";
  CHECK_THAT(curves_svg(csv, "x", true), Contains(">validation (trained on)<") && !Contains("best"));
  CHECK_THAT(curves_svg(csv, "x"), Contains("validation, best 99.995 at 20000"));  // every digit of the epoch
  const auto panels = condenser::report::curve_panels(csv, true);
  REQUIRE(panels.size() == 3);
  for (const std::string& panel : panels) CHECK(xml_fault(panel) == "");
  CHECK_THAT(panels[0], Contains("trained on"));
}

TEST_CASE("no validation part, one epoch, values that are missing", "[report]") {
  const std::string one = curves_svg(std::string(kHeader) + "1,2.1,40,,,0.05,1000,1\n", "one");
  CHECK(xml_fault(one) == "");
  CHECK_THAT(one, !Contains("validation"));
  CHECK(count(one, "<circle") == 3);  // a single epoch is a dot
  const std::string holes =
      curves_svg(std::string(kHeader) + "1,2.1,40,,,0.05,9,1\n2,nan,50,1.5,30,0.05,9,1\n", "holes");
  CHECK(xml_fault(holes) == "");
  CHECK_THAT(holes, !Contains("nan") && Contains("best 30 at 2"));
}

TEST_CASE("measures that training may add get charts of their own", "[report]") {
  std::string header = "step", row = "1";
  for (const char* name : {"train/loss", "val/loss", "val/auc", "val/f1", "lr"}) {
    header += std::string(",") + name;
    row += ",0.5";
  }
  const std::string svg = curves_svg(header + ",\"val/a,b\"\n" + row + ",7\n", "more");
  CHECK(xml_fault(svg) == "");
  for (const char* title : {">auc<", ">f1<", ">a,b<", ">learning rate<"}) CHECK(count(svg, title) == 1);
}

TEST_CASE("extreme and flat values keep the picture whole", "[report]") {
  for (const char* row : {"1,0,0,0,0,0,0,0\n2,0,0,0,0,0,0,0\n",
                          "1,1e30,1e-30,-5,5,1e-9,0,0\n2,2e30,2e-30,-4,6,2e-9,0,0\n", "100000,1,1,1,1,1,1,1\n"}) {
    const std::string svg = curves_svg(std::string(kHeader) + row, "x");
    CHECK(xml_fault(svg) == "");
    CHECK_THAT(svg, !Contains("nan") && !Contains("inf"));
    CHECK(svg.size() < 30'000);
  }
}

TEST_CASE("nothing to draw is no picture; damaged rows are named", "[report]") {
  CHECK(curves_svg("", "x").empty());
  CHECK(curves_svg(kHeader, "x").empty());
  CHECK_THROWS_WITH(curves_svg("step,train/loss\n1,abc\n", "x"), Contains("metrics.csv:2") && Contains("abc"));
  CHECK_THROWS_WITH(curves_svg("step,train/loss\n1,2\n2\n", "x"), Contains("metrics.csv:3") && Contains("expected 2"));
}
