// NSGA-II and TPE: that they learn, that they keep to the gate and that they propose nothing twice.

#include <cmath>
#include <map>

#include "search/generators/past.hpp"
#include "search/pareto/hypervolume.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;

namespace {

fakes::Bench a_bench(const std::string& generator, uint64_t seed) {
  fakes::Bench bench;
  bench.space = fakes::ChainSpace(4, 6);  // 2,592 networks
  bench.gate_options.rules = {"no_strided_pointwise"};
  bench.options.generator = generator;
  bench.options.trials = 80;
  bench.options.seed = seed;
  return bench;
}

double mean_best(const std::string& generator) {
  double sum = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed)
    sum += search::best(a_bench(generator, seed).run(), "val_accuracy")->findings.metrics.at("val_accuracy");
  return sum / 10;
}

search::Trial measured(int64_t index, double accuracy, double macs) {
  search::Trial trial;
  trial.index = index;
  trial.findings.metrics = {{"val_accuracy", accuracy}, {"macs", macs}};
  return trial;
}

}  // namespace

TEST_CASE("the baselines find better networks than chance", "[search]") {
  const double chance = mean_best("random");
  for (const char* generator : {"nsga2", "tpe"}) {
    INFO(generator);
    CHECK(mean_best(generator) > chance + 0.5);
  }
}

TEST_CASE("the baselines propose what passes the gate and is not known", "[search]") {
  for (const char* generator : {"nsga2", "tpe"}) {
    INFO(generator);
    fakes::Bench bench = a_bench(generator, 3);
    bench.options.batch = 5;
    for (const search::Trial& trial : bench.run()) {
      CHECK(trial.state == search::TrialState::Done);
      CHECK(trial.same_as < 0);
    }
  }
}

TEST_CASE("trials are ordered by front, then by misses, then by having values at all", "[search]") {
  std::vector<search::Trial> trials = {measured(0, 80, 10), measured(1, 90, 30), measured(2, 70, 20),
                                       measured(3, 99, 1),  measured(4, 98, 1),  measured(5, 0, 0)};
  trials[3].verdicts = {{"min_val_accuracy", false, "", "", ""}, {"max_val_loss", false, "", "", ""}};
  trials[4].verdicts = {{"min_val_accuracy", false, "", "", ""}, {"max_val_loss", true, "", "", ""}};
  trials[5].state = search::TrialState::Failed;
  std::vector<const search::Trial*> all;
  for (const search::Trial& trial : trials) all.push_back(&trial);
  const auto indices = [&](const search::Objective& objective) {
    std::vector<int64_t> order;
    for (const search::Trial* trial : search::best_first(all, objective)) order.push_back(trial->index);
    return order;
  };
  CHECK(indices("val_accuracy") == std::vector<int64_t>{1, 0, 2, 4, 3, 5});
  CHECK(indices("macs") == std::vector<int64_t>{0, 2, 1, 4, 3, 5});
  CHECK(indices(search::Objective(std::vector<std::string>{"val_accuracy", "macs"})) ==
        std::vector<int64_t>{0, 1, 2, 4, 3, 5});
}

TEST_CASE("on a ladder the baselines take their best networks further, rung by rung", "[search]") {
  for (const char* generator : {"nsga2", "tpe"}) {
    INFO(generator);
    fakes::Bench bench = a_bench(generator, 2);
    bench.rungs = {0.25, 0.5, 1};
    bench.options.trials = 30;
    std::map<core::Hash128, int> reached;
    int full = 0;
    for (const search::Trial& trial : bench.run()) {
      const auto below = reached.find(trial.hash);
      CHECK(trial.rung == (below == reached.end() ? 0 : below->second + 1));
      reached[trial.hash] = trial.rung;
      full += trial.full();
      CHECK_FALSE(trial.by.empty());
      CHECK_FALSE(trial.reason.empty());
    }
    CHECK(full > 3);
    CHECK(reached.size() > 30);
  }
}

TEST_CASE("several goals: NSGA-II and TPE find a larger front than chance", "[search]") {
  const auto volume = [](const char* generator) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      fakes::Bench bench = a_bench(generator, seed);
      bench.options.objective = search::Objective(std::vector<std::string>{"val_accuracy", "minimize log10(params)"});
      std::vector<search::Point> points;
      const std::vector<search::Trial> trials = bench.run();
      for (const search::Trial* trial : search::front(trials, bench.options.objective))
        points.push_back(*bench.options.objective.values(trial->findings));
      sum += search::hypervolume(points, {50, -3}) / 6;
    }
    return sum;
  };
  const double chance = volume("random");
  CHECK(volume("nsga2") > chance);
  CHECK(volume("tpe") > chance);
}
