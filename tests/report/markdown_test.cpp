// What a reader of report.md relies on: every stage that ran has its section, none that did not, refusals with their
// reasons, and no table cell that breaks the table.

#include "condenser/report/markdown.hpp"

#include <nlohmann/json.hpp>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/core/error.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::ordered_json;

namespace {

arch::Spec small_net() {
  arch::Builder b("small", {1, 8, 8});
  arch::conv_bn_act(b, b.input(), "stem", {.out = 8});
  return b.finish();
}

ordered_json summary() {
  return {{"schema_version", 1},
          {"spec_hash", "0123456789abcdef"},
          {"params", 15234},
          {"macs", 1207168},
          {"constant_bytes", 21194},
          {"arena_bytes", 21952},
          {"float_accuracy", nullptr},
          {"int8_accuracy", nullptr},
          {"netscore", nullptr},
          {"verdicts",
           {{{"rule", "no_strided_pointwise"}, {"passed", true}, {"node", ""}, {"value", "none"}, {"limit", "none"}},
            {{"rule", "max_macs"}, {"passed", false}, {"node", ""}, {"value", "9"}, {"limit", "at most 8"}}}},
          {"verified", nullptr},
          {"verified_samples", nullptr}};
}

report::Material material() {
  report::Material m;
  m.name = "first";
  m.dataset = "digits";
  m.summary_json = summary().dump();
  m.winner = arch::design_of(small_net());
  m.objective = "val_accuracy";
  return m;
}

}  // namespace

TEST_CASE("a report before training says what is missing and shows no empty section", "[report]") {
  const std::string text = report::to_markdown(material());
  CHECK_THAT(text, Contains("# first\n\nData: digits"));
  CHECK_THAT(text, Contains("not measured yet"));
  CHECK_THAT(text, Contains("15,234"));
  CHECK_THAT(text, Contains("```mermaid\n"));
  for (const char* section : {"## Search", "## Training", "## Int8", "## Proof of the export", "## Environment"})
    CHECK_THAT(text, !Contains(section));
}

TEST_CASE("structural rules are listed with the reason they exist, budgets with their limit", "[report]") {
  const std::string text = report::to_markdown(material());
  CHECK_THAT(text, Contains("no_strided_pointwise"));
  CHECK_THAT(text, Contains(arch::find_rule("no_strided_pointwise")->why));
  CHECK_THAT(text, Contains("at most 8"));
}

TEST_CASE("refusals are counted by rule and one example each is shown", "[report]") {
  report::Material m = material();
  search::Trial refused, done, same;
  refused.state = search::TrialState::Refused;
  refused.verdicts = {{"max_macs", false, "conv3", "9,000", "at most 8,000"}};
  done.index = 1;
  done.findings.metrics = {{"val_accuracy", 97.5}, {"macs", 4000}, {"params", 300}};
  same = done;
  same.index = 2;
  same.same_as = 1;
  m.trials = {refused, done, same};
  const std::string text = report::to_markdown(m);
  CHECK_THAT(text, Contains("3 proposals: 1 examined, 1 refused before training, 1 duplicates, 0 failed"));
  CHECK_THAT(text, Contains("trial 0, node conv3: 9,000; limit at most 8,000"));
  CHECK_THAT(text, Contains("97.50"));
}

TEST_CASE("the learning curve, the int8 table and the proof come from the files", "[report]") {
  report::Material m = material();
  m.metrics_csv = "step,train/loss,val/acc1\n1,1.25,90.5\n2,0.5,\n";
  m.quant_report_json =
      ordered_json{
          {"rounding", "double"},
          {"observer", "mse"},
          {"calibration_samples", 512},
          {"nodes",
           {{{"node", "stem"}, {"snr_db", nullptr}, {"saturated_fraction", 0.25}, {"scale", 0.5}, {"zero_point", -3}}}}}
          .dump();
  m.verify_json = ordered_json{{"checks",
                                {{{"target", "c99"},
                                  {"name", "clang -O2"},
                                  {"ran", false},
                                  {"passed", false},
                                  {"samples", 0},
                                  {"differing_values", 0},
                                  {"accuracy_percent", 0.0},
                                  {"detail", "clang is not installed"}},
                                 {{"target", "c99"},
                                  {"name", "gcc -O2"},
                                  {"ran", true},
                                  {"passed", false},
                                  {"samples", 500},
                                  {"differing_values", 7},
                                  {"accuracy_percent", 97.8},
                                  {"detail", "7 integers differ"}}}}}
                      .dump();
  m.env_json = R"({"schema_version": 1, "compiler": "gcc", "threads": 2})";
  const std::string text = report::to_markdown(m);
  CHECK_THAT(text, Contains("| 2") && Contains("0.5"));
  CHECK_THAT(text, Contains("25.000") && Contains("512 calibration images"));
  CHECK_THAT(text, Contains("skipped: clang is not installed"));
  CHECK_THAT(text, Contains("DIFFERENT"));
  CHECK_THAT(text, Contains("threads") && !Contains("schema_version"));
}

TEST_CASE("damaged stage files are named", "[report]") {
  report::Material m = material();
  m.quant_report_json = "{\"nodes\": [";
  CHECK_THROWS_WITH(report::to_markdown(m), Contains("quant_report.json"));
}

TEST_CASE("curves, scores per class and mistakes are linked when they are there and belong to the winner", "[report]") {
  report::Material m = material();
  m.metrics_csv = "step,train/loss\n1,1.25\n";
  CHECK_THAT(report::to_markdown(m), !Contains("curves.svg") && !Contains("## Classes"));
  m.curves = true;
  ordered_json evaluation{{"part", "test part"},
                          {"spec_hash", "0123456789abcdef"},
                          {"correct", 7},
                          {"total", 10},
                          {"low_percent", 39.68},
                          {"accuracy_percent", 70.0},
                          {"high_percent", 89.22},
                          {"classes", {"a|b", "c"}},
                          {"confusion", {{3, 2}, {1, 4}}}};
  m.evaluation_json = evaluation.dump();
  m.evaluation_folder = "eval";
  const std::string text = report::to_markdown(m);
  CHECK_THAT(text, Contains("![learning curves](curves.svg)") && Contains("![confusion matrix](eval/confusion.svg)"));
  CHECK_THAT(text, Contains("70.00 % (7 of 10") && Contains("- a\\|b taken for c: 2 of 5 (40.0 %)"));
  CHECK_THAT(text, !Contains("mistakes.png"));
  m.mistakes = true;
  CHECK_THAT(report::to_markdown(m), Contains("eval/mistakes.png"));
  evaluation["spec_hash"] = "another";
  m.evaluation_json = evaluation.dump();
  CHECK_THAT(report::to_markdown(m), !Contains("## Classes"));
}
