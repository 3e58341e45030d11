// Words for what became of a trial, and files of trials that come back as they were.

#include "condenser/search/fate.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "condenser/search/exchange.hpp"
#include "condenser/search/study_summary.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using search::Trial;
using search::TrialState;

namespace {

Trial done(int64_t index, double accuracy, double params, int rung = 0, double fidelity = 1) {
  Trial t;
  t.index = index;
  t.genotype = {{static_cast<int>(index % 5), 0, 0, 0, 0}};
  t.hash.bytes[0] = static_cast<uint8_t>(index + 1);
  t.findings.metrics = {{"val_accuracy", accuracy}, {"params", params}};
  t.rung = rung;
  t.fidelity = fidelity;
  return t;
}

search::Fate fate_of(const std::vector<Trial>& trials, size_t i) {
  return search::Fates(trials, "val_accuracy").of(trials[i]);
}

}  // namespace

TEST_CASE("a kept trial has a place, and is on the front or knows who dominates it", "[search]") {
  const std::vector<Trial> trials{done(0, 90, 100), done(1, 95, 200), done(2, 94, 300)};
  CHECK(fate_of(trials, 0).text == "kept: place 3 of 3 by val_accuracy, on the front of val_accuracy and params");
  CHECK_THAT(fate_of(trials, 1).text, Contains("the best of 3") && Contains("on the front"));
  const search::Fate third = fate_of(trials, 2);
  CHECK(third.kind == "kept");
  CHECK(third.place == 2);
  CHECK(third.other == 1);
  CHECK_THAT(third.text,
             Contains("not on the front: trial 1 is as good or better (val_accuracy 95.00 %) with 200 parameters"));
}

TEST_CASE("a trial of a lower rung went on, or was dropped with its place there", "[search]") {
  std::vector<Trial> trials{done(0, 60, 100, 0, 0.25), done(1, 70, 100, 0, 0.25), done(2, 65, 100, 0, 0.25)};
  CHECK_THAT(fate_of(trials, 0).text,
             Contains("dropped: place 3 of 3 by val_accuracy at rung 0 (0.25 of the full examination)") &&
                 Contains("so far none was"));
  trials.push_back(done(3, 90, 100, 1, 1));
  trials.back().hash = trials[1].hash;
  CHECK(fate_of(trials, 1).kind == "went on");
  CHECK(fate_of(trials, 1).other == 3);
  CHECK_THAT(fate_of(trials, 0).text, Contains("1 went on, the best of them trial 1"));
}

TEST_CASE("every other end of a trial has its words", "[search]") {
  std::vector<Trial> trials{done(0, 90, 100),  done(1, 90, 100), done(2, 90, 100), done(3, 90, 100),
                            done(4, NAN, 100), done(5, 1, 1),    done(6, 1, 1)};
  trials[0].state = TrialState::Refused;
  trials[0].verdicts = {{"max_params", false, "", "100 parameters", "at most 50 parameters"}};
  trials[1].state = TrialState::Failed;
  trials[1].error = "diverged\n\x1b[31m";
  trials[2].same_as = 1;
  trials[3].verdicts = {{"beats_comparator", false, "n", "90.00 %", "at least 95.00 % (x)"}};
  trials[5].state = TrialState::Proposed;
  trials[6].state = TrialState::Running;
  trials[6].worker = std::string(search::kOutside) + "ana";
  CHECK(fate_of(trials, 0).text ==
        "refused before it was examined: max_params: 100 parameters; limit at most 50 parameters");
  CHECK(fate_of(trials, 1).text == "failed: diverged\\n\\x1b[31m");
  CHECK(fate_of(trials, 2).other == 1);
  CHECK_THAT(fate_of(trials, 3).text, Contains("dropped after it was examined: beats_comparator at node n"));
  CHECK(fate_of(trials, 4).kind == "unmeasured");
  CHECK(fate_of(trials, 5).kind == "waits");
  CHECK(fate_of(trials, 6).text == "being examined by ana (from outside)");
}

TEST_CASE("a study in figures", "[search]") {
  std::vector<Trial> trials{done(0, 60, 100, 0, 0.25), done(1, 70, 100, 1, 1), done(2, 80, 100, 1, 1), done(3, 1, 1)};
  trials[1].hash = trials[0].hash;  // goes on: three quarters more
  trials[2].by = std::string(search::kImport) + "x.csv";
  trials[3].state = TrialState::Refused;
  trials[0].worker = "w";
  trials[0].seconds = 2;
  const auto s = search::summary_of(trials, {{.kind = "stop"}, {.kind = "lost", .worker = "w"}});
  CHECK(s.feasible == 3);
  CHECK(s.refused == 1);
  CHECK(s.spent == 1.0);
  CHECK(s.imported == 1);
  CHECK(s.stopped);
  CHECK(s.rungs.at(0).went_on == 1);
  CHECK(s.workers.at("w").finished == 1);
  CHECK(s.workers.at("w").lost == 1);
  CHECK(s.seconds == 2.0);
}

TEST_CASE("an export read back has the same designs and findings", "[search]") {
  const fakes::Bench bench = [] {
    fakes::Bench b;
    b.options.generator = "random";
    b.gate_options.max_params = 70;
    return b;
  }();
  const std::vector<Trial> trials = bench.run();
  const std::string csv = core::to_csv(search::export_table(trials, &bench.space));
  const std::string json = search::export_json(trials, &bench.space, "val_accuracy");
  for (const std::string& text : {csv, json}) {
    const search::KnownFile file = search::read_known(bench.space, text, "x");
    REQUIRE(file.left_out > 0);  // refused ones
    CHECK(static_cast<int64_t>(file.designs.size()) + file.left_out == static_cast<int64_t>(trials.size()));
    size_t at = 0;
    for (const Trial& t : trials) {
      if (t.state != TrialState::Done) continue;
      const search::Known& known = file.designs.at(at++);
      CHECK(known.genotype == t.genotype);
      CHECK(known.findings.metrics.at("val_accuracy") == t.findings.metrics.at("val_accuracy"));
      CHECK(known.costs.at("params") == t.findings.metrics.at("params"));
      if (&text == &json) CHECK(known.findings.node_scores == t.findings.node_scores);
    }
  }
}

TEST_CASE("what a file of designs says wrong is named with its line and what is near", "[search]") {
  const fakes::ChainSpace space;
  const auto says = [&](const std::string& text, const std::string& words) {
    INFO(text);
    CHECK_THROWS_WITH(search::read_known(space, text, "f.csv"), Contains(words));
  };
  const std::string head = "w0,w1,w2,stride,unused,val_accuracy\n";
  CHECK(search::read_known(space, head + "1,2,3,1,0,50\n", "f.csv").designs.size() == 1);
  CHECK(search::read_known(space, "w0;w1;w2;stride;unused;val_accuracy_percent\n1;2;3;1;0;50\n", "f").designs.size() ==
        1);
  CHECK(search::read_known(space, R"([{"w0":1,"w1":2,"w2":3,"stride":1,"unused":0,"val_accuracy":50}])", "f")
            .designs.size() == 1);
  says("w0,w1,w2,strid,unused,val_accuracy\n",
       "f.csv:1: strid: no decision of the space and no metric; did you mean stride?");
  says("w0,w0\n", "w0 is there twice");
  says(head + "1,2,3,1,0\n", "f.csv:2: 5 fields; expected 6");
  says(head + "1,2,9,1,0,50\n", "f.csv:2");
  says(head + "1,2,3,1,0,5o\n", "f.csv:2: val_accuracy = 5o; expected a number");
  says("w0,w1\n1,2\n", "f.csv:2");
  says("[1]", "design 0: 1; expected an object");
  says("[{\"w0\": 1,", "is no JSON");
  says(R"([{"w0": 1, "w0": 2}])", "w0 is there twice");
  says(R"([{"w0": [1]}])", "design 0: w0 = [1]; expected the name or the number of an option");
  says(R"({"trials": [{"choices": 3}]})", "design 0: choices = 3; expected an object");
  CHECK_THROWS_WITH(search::read_genotype(space, R"({"w0": 1, "ww": 2})", "--genotype"),
                    Contains("--genotype") && Contains("ww"));
  CHECK_THROWS_WITH(search::read_numbers(R"({"a": "1"})", "--metrics"),
                    Contains("--metrics: a = \"1\"; expected a number"));
}
