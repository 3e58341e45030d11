// What a reader of the report relies on: every stage that ran has its section, none that did not, refusals with their
// reasons, figures that are whole; and a browser finds nothing to complain about.

#include <nlohmann/json.hpp>

#include "condenser/arch/rules.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "report/sample_run.hpp"
#include "report/xml_fault.hpp"
#include "support/absent.hpp"
#include "support/browser.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using report::Material;

namespace {

std::string markdown(const Material& m) { return report::to_markdown(report::run_page(m)); }

std::vector<std::string> ids(const Material& m) {
  std::vector<std::string> list;
  for (const report::Section& s : report::run_page(m).sections) list.push_back(s.id);
  return list;
}

}  // namespace

TEST_CASE("a report before training says what is missing and shows no empty section", "[report]") {
  const Material m = tests::bare_run();
  CHECK(ids(m) == std::vector<std::string>{"result", "constraints", "network", "memory"});
  CHECK_THAT(markdown(m), Contains("# first\n\nData: digits: small pictures") && Contains("not measured yet") &&
                              Contains("```mermaid\n") && !Contains("## Warnings"));
}

TEST_CASE("a report of a whole run has every section", "[report]") {
  CHECK(ids(tests::whole_run()) == std::vector<std::string>{"result", "constraints", "network", "memory", "training",
                                                            "classes", "int8", "proof", "search", "environment"});
}

TEST_CASE("structural rules are listed with the reason they exist, budgets with their limit", "[report]") {
  CHECK_THAT(markdown(tests::bare_run()), Contains("no_strided_pointwise") && Contains("at most 8 MACs") &&
                                              Contains(arch::find_rule("no_strided_pointwise")->why));
}

TEST_CASE("refusals are counted by rule and one example each is shown", "[report]") {
  const std::string text = markdown(tests::whole_run());
  CHECK_THAT(text, Contains("4 proposals: 2 examined, 1 refused before training, 1 duplicates, 0 failed"));
  CHECK_THAT(text, Contains("trial 0, node conv3: 9,000; limit at most 8,000") && Contains("97.50"));
  CHECK_THAT(text, Contains("pictures/pareto.svg") && Contains("pictures/refusals.svg"));
}

TEST_CASE("figures of the metrics and of int8 are whole, however small", "[report]") {
  const std::string text = markdown(tests::whole_run());
  CHECK_THAT(text, Contains("7.01838e-09") && !Contains("7.0183837 "));
  CHECK_THAT(text, Contains("7.5e-09") && Contains("25.000"));  // a scale, a share of saturated values
  CHECK_THAT(text, Contains("99.875"));
}

TEST_CASE("validation figures of items that were trained on say so everywhere", "[report]") {
  Material m = tests::whole_run();
  CHECK_THAT(markdown(m), Contains("val/acc1 ") && !Contains("trained on"));
  m.trained->on_validation = true;
  const report::Page page = report::run_page(m);
  CHECK_THAT(report::to_markdown(page),
             Contains("val/acc1 (trained on)") && Contains("validation part, trained on: no measure"));
  CHECK_THAT(report::to_html(page), Contains("validation (trained on)") && !Contains("validation, best"));
}

TEST_CASE("scores of several classes per item stand without a confusion matrix", "[report]") {
  Material m = tests::whole_run();
  m.evaluated->confusion.counts.clear();
  m.evaluated->auc_percent = 91.25;
  CHECK_THAT(markdown(m), Contains("91.25 %") && !Contains("confusion.svg"));
}

TEST_CASE("what int8 does to other figures than accuracy stands in the report and the summary", "[report]") {
  Material m = tests::whole_run();
  m.quantized->figures = {{"macro_f1_percent", "macro F1", "%", 96.5, 95.25}, {"auc_percent", "AUC", "%", 99.5, NAN}};
  CHECK_THAT(markdown(m), Contains("| macro F1 ") && Contains("96.5000 %") && Contains("95.2500 %"));
  const auto j = nlohmann::json::parse(report::summary_json(m));
  CHECK(j["float_metrics"]["macro_f1_percent"] == 96.5);
  CHECK(j["int8_metrics"]["macro_f1_percent"] == 95.25);
  CHECK(j["int8_metrics"]["auc_percent"].is_null());
  CHECK(nlohmann::json::parse(report::summary_json(tests::bare_run()))["int8_metrics"].is_null());
}

TEST_CASE("pictures are well-formed and at hand", "[report]") {
  const report::Page page = report::run_page(tests::whole_run());
  const auto figures = report::figures(page);
  CHECK(figures.size() == 7);
  for (const report::Figure* f : figures) {
    INFO(f->file);
    CHECK(tests::xml_fault(f->bytes) == "");
    for (const std::string& panel : f->panels) CHECK(tests::xml_fault(panel) == "");
    CHECK_THAT(f->bytes, !Contains("nan") && !Contains("inf\""));
  }
}

TEST_CASE("the summary has the results, the warnings and no number that is none", "[report]") {
  Material m = tests::whole_run();
  m.trained->on_validation = true;
  m.evaluated->accuracy = {0, 1000};
  m.evaluated->confusion.counts = {{0, 500}, {500, 0}};
  const auto j = nlohmann::json::parse(report::summary_json(m));
  CHECK(j["netscore"].is_null());
  CHECK(j["float_accuracy"]["accuracy_percent"] == 0);
  CHECK(j["int8_accuracy"]["correct"] == 969);
  CHECK(j["verified_samples"] == 500);
  std::vector<std::string> codes;
  for (const auto& w : j["warnings"]) codes.push_back(w["code"]);
  CHECK(codes == std::vector<std::string>{"accuracy_at_chance", "trained_on_validation"});
  CHECK(nlohmann::json::parse(report::summary_json(tests::bare_run()))["int8_accuracy"].is_null());
}

TEST_CASE("damaged metrics are named", "[report]") {
  Material m = tests::whole_run();
  m.trained->metrics_csv = "step,train/loss\n1,abc\n";
  CHECK_THROWS_WITH(report::run_page(m), Contains("metrics.csv:2") && Contains("abc"));
}

namespace {

// A page around the report that says what it found in it: what sticks out at the side (but for boxes that scroll), what
// was loaded, and how many sections there are.
constexpr const char* kLook = R"(<!DOCTYPE html><meta charset="utf-8"><body><pre id="said"></pre><script>
const widths = [320, 390, 768, 1280];
let left = widths.length;
for (const width of widths) {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'border:0;height:900px;width:' + width + 'px';
  frame.onload = () => {
    const page = frame.contentDocument, root = page.documentElement, outside = [];
    for (const details of page.querySelectorAll('details')) details.open = true;
    for (const e of page.body.querySelectorAll('*'))
      if (!e.closest('.scroll *, pre *, svg *') && e.getBoundingClientRect().right > width + 1)
        outside.push(e.tagName + '.' + e.className);
    document.getElementById('said').textContent += width + ': wide=' + (root.scrollWidth > width) + ' outside=[' + outside + '] loaded=' +
        frame.contentWindow.performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length +
        ' sections=' + page.querySelectorAll('section').length + '\n';
    if (--left === 0) document.body.append('done');
  };
  frame.src = 'report.html';
  document.body.append(frame);
}
</script></body>)";

}  // namespace

TEST_CASE("a browser shows the report on phone and desk without complaint", "[report]") {
  if (tests::browser().empty()) return tests::skip_without("program: chromium", tests::kBrowsers);
  Material m = tests::whole_run();
  m.name = "a_name_without_any_place_to_break_it_because_people_do_that_and_more_than_once_in_a_while";
  m.evaluated->confusion.classes = {"<script>alert(1)</script>", std::string(200, 'w')};
  m.environment.emplace_back("system", std::string(300, 'x'));
  const tests::TempFolder folder;
  folder.write("report.html", report::to_html(report::run_page(m)));
  folder.write("look.html", kLook);
  const tests::Finished f = tests::look_at(folder, "look.html", 20000);
  INFO(f.out.substr(0, 3000) << f.err.substr(0, 3000));
  REQUIRE(f.code == 0);
  CHECK_THAT(f.out, Contains("done"));
  for (const char* width : {"320", "390", "768", "1280"})
    CHECK_THAT(f.out, Contains(std::string(width) + ": wide=false outside=[] loaded=0 sections=10"));
  CHECK_THAT(f.err, !Contains("CONSOLE"));
}
