#include "condenser/search/study.hpp"

#include <cmath>
#include <set>

#include "condenser/search/trial_table.hpp"

#include "support/catch.hpp"

using namespace condenser::search;

namespace {

Trial done(int64_t index, double accuracy, double params) {
  Trial t;
  t.index = index;
  t.findings.metrics = {{"val_accuracy", accuracy}, {"params", params}};
  return t;
}

std::vector<int64_t> indices(const std::vector<const Trial*>& trials) {
  std::vector<int64_t> all;
  for (const Trial* t : trials) all.push_back(t->index);
  return all;
}

}  // namespace

TEST_CASE("only feasible trials with the metric have an objective", "[search]") {
  Trial t = done(0, 80, 10);
  CHECK(merit(t, "val_accuracy") == 80.0);
  CHECK_FALSE(merit(t, "netscore"));
  t.verdicts = {{"max_params", true, "", "", ""}, {"max_macs", false, "", "", ""}};
  CHECK_FALSE(merit(t, "val_accuracy"));
  t.verdicts.clear();
  t.state = TrialState::Failed;
  CHECK_FALSE(merit(t, "val_accuracy"));
  CHECK_FALSE(merit(done(0, std::nan(""), 1), "val_accuracy"));
}

TEST_CASE("the best trial is accurate, then small, then early", "[search]") {
  CHECK(best({}, "val_accuracy") == nullptr);
  std::vector<Trial> trials = {done(0, 80, 10), done(1, 90, 30), done(2, 90, 20), done(3, 90, 20), done(4, 99, 1)};
  trials[4].state = TrialState::Refused;
  CHECK(best(trials, "val_accuracy")->index == 2);
  CHECK(best(trials, "netscore") == nullptr);
  trials[4].state = TrialState::Done;
  CHECK(best(trials, "val_accuracy")->index == 4);
}

TEST_CASE("an objective that should be low is best where it is lowest", "[search]") {
  std::vector<Trial> trials = {done(0, 80, 10), done(1, 90, 30), done(2, 70, 20)};
  CHECK(merit(trials[1], "params") == -30.0);
  CHECK(best(trials, "params")->index == 0);
  for (Trial& t : trials) t.findings.metrics["val_loss"] = 1.0 - t.findings.metrics.at("val_accuracy") / 100;
  CHECK(best(trials, "val_loss")->index == 1);
}

TEST_CASE("every metric has a name, a key and a title of its own", "[search]") {
  std::set<std::string> seen;
  for (const Metric& metric : metrics()) {
    INFO(metric.name);
    for (const std::string& text : {"name " + metric.name, "key " + metric.key, "title " + metric.title}) {
      CHECK(seen.insert(text).second);
    }
    CHECK(find_metric(metric.name) == &metric);
    CHECK(metric.key.starts_with(metric.name));
  }
  CHECK(find_metric("val_acuracy") == nullptr);
}

TEST_CASE("the table of trials has titles, digits and only what was measured", "[search]") {
  Trial failed = done(1, 0, 7);
  failed.findings.metrics.erase("val_accuracy");
  failed.state = TrialState::Failed;
  Trial refused = done(2, 50, 9), copy = done(3, 98.7654, 22618);
  refused.state = TrialState::Refused;
  copy.same_as = 0;
  const condenser::core::Table table = trial_table({done(0, 98.7654, 22618), failed, refused, copy}, {});
  std::vector<std::string> titles;
  for (const auto& column : table.columns) titles.push_back(column.title);
  CHECK(titles == std::vector<std::string>{"trial", "state", "val. accuracy %", "params", "network"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0][2].text == "98.77");
  CHECK(table.rows[0][3].text == "22,618");
  CHECK(table.rows[1][1].text == "failed");
  CHECK(table.rows[1][2].json == "null");
  CHECK(text_of(done(0, 98.7654, 22618), "val_accuracy") == "98.77 %");
  CHECK(text_of(failed, "val_accuracy") == "-");
}

TEST_CASE("refusals count each broken rule once per trial", "[search]") {
  Trial a, b, c;
  a.state = b.state = TrialState::Refused;
  a.verdicts = {{"rule_a", false, "x", "", ""}, {"rule_a", false, "y", "", ""}, {"rule_b", true, "", "", ""}};
  b.verdicts = {{"rule_a", false, "x", "", ""}, {"rule_b", false, "", "", ""}};
  c.verdicts = {{"beats_comparator", false, "", "", ""}};  // examined: infeasible, but not refused
  const std::map<std::string, int64_t> expected = {{"rule_a", 2}, {"rule_b", 1}};
  CHECK(refusals_by_rule({a, b, c}) == expected);
}

TEST_CASE("the Pareto front equals the definition, trial by trial", "[search]") {
  std::vector<Trial> trials;
  condenser::core::Rng rng(2);
  for (int64_t i = 0; i < 60; ++i) {
    const double params = static_cast<double>(rng.below(20));
    trials.push_back(done(i, params + static_cast<double>(rng.below(6)), params));
  }
  trials[5].state = TrialState::Refused;
  trials[7].findings.metrics.erase("params");
  trials[9].same_as = 3;
  std::vector<int64_t> expected;
  for (const Trial& t : trials) {
    const auto value = [](const Trial& x, const char* m) { return x.findings.metrics.at(m); };
    const auto counts = [](const Trial& x) {
      return x.feasible() && x.same_as < 0 && x.findings.metrics.count("params");
    };
    bool dominated = !counts(t);
    for (const Trial& o : trials) {
      if (!counts(o) || dominated) continue;
      const double dv = value(o, "val_accuracy") - value(t, "val_accuracy"),
                   dc = value(o, "params") - value(t, "params");
      dominated = dv >= 0 && dc <= 0 && (dv > 0 || dc < 0);
    }
    if (!dominated) expected.push_back(t.index);
  }
  std::vector<const Trial*> front = pareto_front(trials, "val_accuracy", "params");
  for (size_t i = 1; i < front.size(); ++i) {
    CHECK(front[i - 1]->findings.metrics.at("params") <= front[i]->findings.metrics.at("params"));
  }
  std::vector<int64_t> found = indices(front);
  std::sort(found.begin(), found.end());
  CHECK(found == expected);
  CHECK(found.size() > 1);
}

TEST_CASE("several goals have a front, and a winner in balance", "[search]") {
  const Objective both(std::vector<std::string>{"val_accuracy", "params"});
  std::vector<Trial> trials = {done(0, 60, 10),   done(1, 98, 100), done(2, 90, 30), done(3, 89, 30),
                               done(4, 99, 1000), done(5, 99, 900), done(6, 90, 30), done(7, 99.9, 1)};
  trials[6].same_as = 2;
  trials[7].verdicts = {{"min_val_accuracy", false, "", "", ""}};
  CHECK(indices(front(trials, both)) == std::vector<int64_t>{5, 1, 2, 0});
  CHECK(best(trials, both)->index == 1);
  CHECK(indices(front(trials, "val_accuracy")) == std::vector<int64_t>{4, 5});
  CHECK(best(trials, "val_accuracy")->index == 5);
  CHECK(front({}, both).empty());
  CHECK(best({}, both) == nullptr);
}

TEST_CASE("a view ends at its limit", "[search]") {
  const std::vector<Trial> trials(5);
  CHECK(StudyView{&trials, 3, {}}.size() == 3);
  CHECK(StudyView{&trials, 9, {}}.size() == 5);
  CHECK(StudyView{&trials, -2, {}}.size() == 0);
  CHECK(StudyView{}.size() == 0);
}
