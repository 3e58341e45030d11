#include "condenser/search/study.hpp"

#include <cmath>

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
  CHECK(objective_value(t, "val_accuracy") == 80.0);
  CHECK_FALSE(objective_value(t, "netscore"));
  t.verdicts = {{"max_params", true, "", "", ""}, {"max_macs", false, "", "", ""}};
  CHECK_FALSE(objective_value(t, "val_accuracy"));
  t.verdicts.clear();
  t.state = TrialState::Failed;
  CHECK_FALSE(objective_value(t, "val_accuracy"));
  CHECK_FALSE(objective_value(done(0, std::nan(""), 1), "val_accuracy"));
}

TEST_CASE("the best trial is accurate, then small, then early", "[search]") {
  CHECK(best({}, "val_accuracy") == nullptr);
  std::vector<Trial> trials = {done(0, 80, 10), done(1, 90, 30), done(2, 90, 20), done(3, 90, 20), done(4, 99, 1)};
  trials[4].state = TrialState::Refused;
  CHECK(best(trials, "val_accuracy")->index == 2);
  CHECK(best(trials, "latency") == nullptr);
  trials[4].state = TrialState::Done;
  CHECK(best(trials, "val_accuracy")->index == 4);
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

TEST_CASE("a view ends at its limit", "[search]") {
  const std::vector<Trial> trials(5);
  CHECK(StudyView{&trials, 3, ""}.size() == 3);
  CHECK(StudyView{&trials, 9, ""}.size() == 5);
  CHECK(StudyView{&trials, -2, ""}.size() == 0);
  CHECK(StudyView{}.size() == 0);
}
