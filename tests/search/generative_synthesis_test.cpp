// Generative synthesis on spaces that cost nothing: constraints, several goals, beliefs, forecasts, what goes wrong.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "search/pareto/hypervolume.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using Catch::Contains;
using search::Objective;
using search::Trial;

namespace {

// 432 networks; val_accuracy is 90 less the squared distance of the widths from 2, 3 and 4.
fakes::Bench a_bench(uint64_t seed, const std::string& generator = "generative_synthesis") {
  fakes::Bench bench;
  bench.space = fakes::ChainSpace(3, 6);
  bench.gate_options.rules = {"no_strided_pointwise"};
  bench.options.objective = "val_accuracy";
  bench.options.generator = generator;
  bench.options.trials = 40;
  bench.options.seed = seed;
  return bench;
}

double accuracy(const Trial& trial) { return trial.findings.metrics.at("val_accuracy"); }

// Evaluations until a trial satisfies; one more than there are if none does.
template <class Enough>
double evaluations(const std::vector<Trial>& trials, const Enough& enough) {
  int count = 0;
  for (const Trial& trial : trials) {
    count += trial.examined();
    if (trial.feasible() && enough(trial)) return count;
  }
  return count + 1;
}

const std::vector<std::string> kTwo = {"val_accuracy", "minimize log10(params)"};

}  // namespace

TEST_CASE("under a constraint the chance of meeting it leads to the best network sooner", "[search]") {
  const auto mean = [](const std::string& generator) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      fakes::Bench bench = a_bench(seed, generator);
      bench.options.objective = "params";
      bench.options.objective.constraints.push_back(search::Constraint::parse("val_accuracy", ">= 88.5"));
      // This accuracy lets one of the widths 2, 3, 4 be less by one.
      int64_t least = INT64_MAX;
      for (const std::vector<int>& choice : {std::vector{0, 2, 3, 0, 0}, {1, 1, 3, 0, 0}, {1, 2, 2, 0, 0}})
        least = std::min(least, bench.space.expand({choice}).cost.params);
      sum +=
          evaluations(bench.run(),
                      [&](const Trial& t) { return t.findings.metrics.at("params") <= static_cast<double>(least); }) /
          6;
    }
    return sum;
  };
  const double engine = mean("generative_synthesis");
  CHECK(engine < 0.7 * mean("tpe"));
  CHECK(engine < 0.7 * mean("random"));
}

TEST_CASE("with two goals generative synthesis finds a larger front than chance, and hardly a smaller one than TPE",
          "[search]") {
  const auto volume = [](const std::string& generator) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      fakes::Bench bench = a_bench(seed, generator);
      bench.options.objective = Objective(kTwo);
      std::vector<search::Point> points;
      const std::vector<Trial> trials = bench.run();
      for (const Trial* trial : search::front(trials, bench.options.objective))
        points.push_back(*bench.options.objective.values(trial->findings));
      sum += search::hypervolume(points, {70, -3}) / 6;
    }
    return sum;
  };
  const double engine = volume("generative_synthesis");
  CHECK(engine > 0.95 * volume("tpe"));
  CHECK(engine > volume("random"));
}

TEST_CASE("goals and constraints work with pools, rungs and batches, are given in words, and replay", "[search]") {
  const std::vector<std::string> single = {"netscore"};
  for (const std::vector<std::string>& goals : {kTwo, single}) {
    for (const char* options : {"{}", "{enumerate: 0, pool: 100}"}) {
      INFO(goals.front() << " " << options);
      fakes::Bench bench = a_bench(3);
      bench.options.objective = Objective(goals);
      bench.options.objective.constraints.push_back(search::Constraint::parse("val_accuracy", ">= 80"));
      bench.options.trials = 12;
      bench.options.batch = 3;
      bench.generator_yaml = options;
      bench.rungs = {0.25, 1};
      const std::vector<Trial> trials = bench.run();
      CHECK(fakes::equal(bench.run(), trials));
      int promoted = 0;
      for (const Trial& trial : trials) {
        CHECK(trial.state == search::TrialState::Done);
        promoted += trial.rung > 0;
      }
      CHECK(promoted > 2);
      const Trial& last = trials.back();
      CHECK_THAT(last.reason, Contains("meets every constraint with chance"));
      CHECK_THAT(last.reason, Contains(goals.size() > 1 ? "% to what the front commands" : "to the best so far"));
      REQUIRE(last.forecast);
      CHECK(std::isfinite(last.forecast->value));
      CHECK(last.forecast->low <= last.forecast->high);
      CHECK(last.forecast->gain >= 0);
    }
  }
}

TEST_CASE("wrong beliefs of the user are overcome within 60 evaluations", "[search]") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    INFO("seed " << seed);
    fakes::Bench bench = a_bench(seed);
    bench.generator_yaml = "{enumerate: 0, pool: 200}";
    bench.options.trials = 60;
    std::vector<std::vector<double>> weights;
    for (const search::Decision& d : bench.space.decisions()) weights.emplace_back(d.options.size(), 1);
    for (size_t d = 0; d < 3; ++d) weights[d].back() = 100;  // the widest, which is the worst
    bench.space.believe(weights);
    CHECK(evaluations(bench.run(), [](const Trial& t) { return accuracy(t) >= 90; }) <= 60);
  }
}

TEST_CASE("forecasts are honest: about two thirds of what is measured lies within one deviation", "[search]") {
  int within = 0, all = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    for (const Trial& trial : a_bench(seed).run()) {
      if (!trial.forecast || trial.index < 5) continue;
      ++all;
      within += trial.forecast->low <= accuracy(trial) && accuracy(trial) <= trial.forecast->high;
    }
  }
  REQUIRE(all > 150);
  INFO(within << " of " << all);
  CHECK(within >= 0.5 * all);
  CHECK(within <= 0.9 * all);
}

TEST_CASE("what tells nothing does no harm: constant, absent and partly absent values, failures", "[search]") {
  for (const char* options : {"{}", "{enumerate: 0, pool: 50}"}) {
    for (const char* goal : {"0*val_accuracy", "sqrt(val_accuracy - 95)", "sqrt(val_accuracy - 85)"}) {
      INFO(options << " " << goal);
      fakes::Bench bench = a_bench(1);
      bench.generator_yaml = options;
      bench.options.objective = goal;
      bench.options.trials = 12;
      std::set<core::Hash128> networks;
      for (const Trial& trial : bench.run()) networks.insert(trial.hash);
      CHECK(networks.size() == 12);
      bench.options.objective = Objective(std::vector<std::string>{goal, "params"});
      CHECK(bench.run().size() == 12);
    }
    fakes::Bench bench = a_bench(1);
    bench.generator_yaml = options;
    bench.options.trials = 8;
    bench.before = [](const search::Candidate&) { throw search::CandidateError("diverged"); };
    CHECK(bench.run().size() == 8);
    bench.options.objective = Objective(kTwo);
    CHECK(bench.run().size() == 8);
    bench.options.objective.constraints.push_back(search::Constraint::parse("val_accuracy", ">= 80"));
    CHECK(bench.run().size() == 8);
  }
}

TEST_CASE("spaces of one network, by their options or by the gate, are searched and left", "[search]") {
  for (const char* options : {"{}", "{enumerate: 0, pool: 50}"}) {
    for (const std::vector<std::string>& goals : {kTwo, std::vector<std::string>{"val_accuracy"}}) {
      fakes::Bench bench = a_bench(1);
      bench.space = fakes::ChainSpace(1, 1);  // one width; the gate refuses its stride of 2
      bench.generator_yaml = options;
      bench.options.objective = Objective(goals);
      bench.options.trials = 2;
      bench.options.max_proposals = 12;
      std::set<core::Hash128> networks;
      for (const Trial& trial : bench.run())
        if (trial.state == search::TrialState::Done) networks.insert(trial.hash);
      CHECK(networks.size() == 1);
    }
  }
}

TEST_CASE("the better half of a rung goes on more often than the worse", "[search]") {
  double better = 0, worse = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    fakes::Bench bench = a_bench(seed);
    bench.rungs = {0.25, 1};
    bench.options.trials = 20;
    std::map<core::Hash128, double> low;
    std::set<core::Hash128> went_on;
    for (const Trial& trial : bench.run()) {
      if (trial.rung == 0) low[trial.hash] = accuracy(trial);
      if (trial.rung == 1) went_on.insert(trial.hash);
    }
    std::vector<double> values;
    for (const auto& entry : low) values.push_back(entry.second);
    std::sort(values.begin(), values.end());
    for (const core::Hash128& hash : went_on) (low.at(hash) > values[values.size() / 2] ? better : worse) += 1;
  }
  CHECK(better > 3 * worse);
  CHECK(better > 10);
}
