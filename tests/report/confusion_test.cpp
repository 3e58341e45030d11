// Scores by hand, pictures that stay XML and readable for two and for a thousand classes.

#include "condenser/report/confusion.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "condenser/core/error.hpp"
#include "report/svg.hpp"
#include "report/xml_fault.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using report::Confusion;

namespace {

// Of 10 cats 8 are right, of 5 dogs 3; nothing is ever called a newt, of which there is none.
Confusion animals() { return {{"cat", "dog", "newt"}, {{8, 2, 0}, {2, 3, 0}, {0, 0, 0}}}; }

Confusion square(size_t classes) {
  Confusion c;
  for (size_t k = 0; k < classes; ++k) {
    c.classes.push_back("class_" + std::to_string(k));
    c.counts.emplace_back(classes, 0);
    c.counts[k][k] = 95;
    c.counts[k][(k * 7 + 1) % classes] += 5;
  }
  return c;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Of every text; the smallest.
double smallest_font(const std::string& svg) {
  double smallest = 1e9;
  const std::string key = "font-size=\"";
  for (size_t at = svg.find(key); at != std::string::npos; at = svg.find(key, at + 1))
    smallest = std::min(smallest, std::stod(svg.substr(at + key.size())));
  return smallest;
}

double luminance(const std::string& colour) {
  const auto channel = [&](size_t k) {
    const double v = std::stoi(colour.substr(1 + 2 * k, 2), nullptr, 16) / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2);
}

}  // namespace

TEST_CASE("precision, recall and F1 of each class", "[report]") {
  const auto scores = report::class_scores(animals());
  CHECK(scores[0].precision_percent == Approx(80));
  CHECK(scores[0].recall_percent == Approx(80));
  CHECK(scores[1].precision_percent == Approx(60));
  CHECK(scores[1].recall_percent == Approx(60));
  CHECK(scores[1].f1_percent == Approx(60));
  CHECK(scores[1].support == 5);
  CHECK(std::isnan(scores[2].precision_percent));
  CHECK(std::isnan(scores[2].recall_percent));

  const auto rows = nlohmann::json::parse(core::to_json(report::per_class_table(animals())));
  REQUIRE(rows.size() == 4);
  CHECK(rows[2]["precision_percent"].is_null());
  CHECK(rows[3]["class"] == "macro average");
  CHECK(rows[3]["recall_percent"] == Approx(70));  // of the two classes that occur
  CHECK(rows[3]["support"] == 15);
}

TEST_CASE("a class that occurs and is never predicted pulls the average down", "[report]") {
  const auto rows = nlohmann::json::parse(core::to_json(report::per_class_table({{"a", "b"}, {{4, 0}, {4, 0}}})));
  CHECK(rows[1]["precision_percent"].is_null());
  CHECK(rows[1]["f1_percent"] == 0);
  CHECK(rows[2]["precision_percent"] == Approx(25));
}

TEST_CASE("the worst mistakes come first, as many as asked for", "[report]") {
  CHECK(report::worst_mistakes({{"4", "9"}, {{90, 12}, {1, 99}}}, 5) ==
        std::vector<std::string>{"4 taken for 9: 12 of 102 (11.8 %)", "9 taken for 4: 1 of 100 (1.0 %)"});
  CHECK(report::worst_mistakes(square(50), 3).size() == 3);
  CHECK(report::worst_mistakes({{"a", "b"}, {{4, 0}, {0, 4}}}, 3).empty());
}

TEST_CASE("counts that are no square are refused", "[report]") {
  CHECK_THROWS_WITH(report::class_scores({{"a", "b"}, {{1, 2}}}), Contains("2 rows and columns"));
  CHECK_THROWS_AS(report::confusion_svg({{"a", "b"}, {{1, 2}, {3}}}, "x", ""), core::Error);
}

TEST_CASE("the picture is XML, whatever the classes are called", "[report]") {
  Confusion c = animals();
  c.classes = {"a<b", "\"R&D\"\x01", "naïve\xff"};
  const std::string svg = report::confusion_svg(c, "<title> & more", "<note>");
  CHECK(tests::xml_fault(svg) == "");
  CHECK_THAT(svg, Contains("a&lt;b → &quot;R&amp;D&quot;?: 2 of 10 (20.0 %)"));
  CHECK(tests::xml_fault(report::confusion_svg({{}, {}}, "nothing", "")) == "");
}

TEST_CASE("few classes show counts, many only names, a thousand every n-th name", "[report]") {
  CHECK_THAT(report::confusion_svg(square(10), "ten", ""), Contains(">95</text>"));
  const std::string hundred = report::confusion_svg(square(100), "a hundred", "");
  CHECK_THAT(hundred, !Contains(">95</text>"));
  CHECK(count(hundred, ">class_57</text>") == 2);  // a row and a column
  const std::string thousand = report::confusion_svg(square(1000), "a thousand", "");
  CHECK(count(thousand, ">class_57</text>") == 0);
  CHECK(count(thousand, ">class_0</text>") == 2);
  CHECK(thousand.size() < 1'000'000);
  for (const std::string& svg : {hundred, thousand}) {
    CHECK(smallest_font(svg) >= 8);
    CHECK(tests::xml_fault(svg) == "");
  }
  CHECK(smallest_font(report::confusion_svg(square(12), "a dozen", "")) >= 7);
}

TEST_CASE("numbers can be read on every colour", "[report]") {
  Confusion c;  // the first row holds every share from 0 to 100 %
  const size_t n = 12;
  for (size_t k = 0; k < n; ++k) {
    c.classes.push_back(std::to_string(k));
    c.counts.emplace_back(n, 0);
    for (size_t j = 0; j < n; ++j) c.counts[k][j] = static_cast<int64_t>(k == j ? 1 + 40 * k * k : 1 + 3 * j * j);
  }
  const std::string svg = report::confusion_svg(c, "colours", "");
  size_t checked = 0;
  for (size_t at = svg.find("<g><title>"); at != std::string::npos; at = svg.find("<g><title>", at + 1)) {
    const std::string cell = svg.substr(at, svg.find("</g>", at) - at);
    const size_t ground = cell.find("fill=\""), ink = cell.rfind("fill=\"");
    if (ground == ink) continue;
    const double a = luminance(cell.substr(ground + 6, 7)) + 0.05, b = luminance(cell.substr(ink + 6, 7)) + 0.05;
    CHECK(std::max(a, b) / std::min(a, b) >= 4.0);
    ++checked;
  }
  CHECK(checked == n * n);
}
