#include "condenser/search/near_miss.hpp"

#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using search::NearMiss;

TEST_CASE("near misses are the least that refused candidates were wrong by, rule by rule", "[search]") {
  fakes::Bench bench;
  bench.gate_options.rules = {"no_strided_pointwise"};
  bench.gate_options.max_params = 20;
  bench.gate_options.max_arena_bytes = 17;
  bench.gate_options.comparator = search::Comparator{.name = "net", .max_params = 15, .max_macs = 10};
  bench.options.max_proposals = 120;
  const std::vector<search::Trial> trials = bench.run();
  const search::Gate gate(bench.gate_options);
  const std::vector<NearMiss> misses = search::near_misses(trials, gate, {});
  REQUIRE(misses.size() == 5);  // the comparator has two limits
  for (size_t i = 0; i < misses.size(); ++i) {
    const NearMiss& miss = misses[i];
    INFO(miss.rule << " " << miss.verdict.limit);
    if (i > 0) CHECK(misses[i - 1].refused >= miss.refused);
    // From the definition, over all trials.
    int64_t refused = 0, nearest = -1;
    double least = INFINITY;
    for (const search::Trial& t : trials) {
      if (t.same_as >= 0) continue;
      const bool breaks = std::any_of(t.verdicts.begin(), t.verdicts.end(), [&](const search::Verdict& v) {
        return !v.passed && v.rule == miss.rule && v.limit == miss.verdict.limit;
      });
      if (!breaks) continue;
      ++refused;
      const double value = miss.bound == nullptr ? 1 : t.findings.metrics.at(miss.bound->metric->name);
      if (value < least) {
        least = value;
        nearest = t.index;
      }
    }
    CHECK(miss.refused == refused);
    CHECK(miss.trial == nearest);
    CHECK((miss.bound == nullptr) == (miss.rule == "no_strided_pointwise"));
    if (miss.bound != nullptr) {
      CHECK(miss.value == static_cast<int64_t>(least));
      CHECK(miss.value > miss.bound->limit);
    }
    CHECK_FALSE(miss.verdict.passed);
  }
  CHECK(search::near_misses({}, gate, {}).empty());
}

TEST_CASE("the nearest to an accuracy is the most accurate", "[search]") {
  fakes::Bench bench;
  bench.gate_options.comparator = search::Comparator{.name = "net", .min_probe_accuracy = 99};
  bench.options.trials = 10;
  const std::vector<search::Trial> trials = bench.run();
  const std::vector<NearMiss> misses = search::near_misses(trials, search::Gate(bench.gate_options), {});
  REQUIRE(misses.size() == 1);
  CHECK(misses[0].refused == 10);
  for (const search::Trial& t : trials) {
    CHECK(t.findings.metrics.at("val_accuracy") <=
          trials[static_cast<size_t>(misses[0].trial)].findings.metrics.at("val_accuracy"));
  }
}

TEST_CASE("a missed constraint is nearest where its metric came nearest", "[search]") {
  search::Objective objective("netscore");
  objective.constraints = {search::Constraint::parse("val_loss", "< 0.1")};
  std::vector<search::Trial> trials(3);
  for (size_t i = 0; i < 3; ++i) {
    trials[i].index = static_cast<int64_t>(i);
    if (i > 0) trials[i].findings.metrics = {{"val_loss", i == 1 ? 0.2 : 0.3}, {"val_accuracy", i == 1 ? 50 : 99}};
    trials[i].verdicts = objective.verdicts(trials[i].findings);
  }
  const search::Gate gate({});
  const std::vector<search::NearMiss> misses = search::near_misses(trials, gate, objective);
  REQUIRE(misses.size() == 1);
  CHECK(misses[0].rule == "max_val_loss");
  CHECK(misses[0].refused == 3);
  CHECK(misses[0].trial == 1);
  CHECK(misses[0].constraint == &objective.constraints[0]);
}
