// Several workers and one study: the same trials as of one worker, whoever dies.

#include <algorithm>
#include <atomic>
#include <thread>

#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using fakes::Bench;
using search::Trial;
using search::TrialState;

namespace {

Bench a_bench() {
  Bench bench;
  bench.options.trials = 24;
  bench.options.window = 3;
  bench.generator_yaml = "{population: 6, tournament: 2}";
  bench.gate_options.rules = {"no_strided_pointwise"};
  return bench;
}

// Each with its own probe, in threads; the examinations take different times.
std::vector<Trial> run_with(const Bench& bench, int workers, search::Store& store) {
  std::vector<std::thread> threads;
  std::atomic<int> troubles = 0;
  for (int w = 0; w < workers; ++w) {
    threads.emplace_back([&, w] {
      Bench mine = bench;
      mine.worker = "w" + std::to_string(w);
      mine.lease = 30;
      mine.before = [w](const search::Candidate& c) {
        std::this_thread::sleep_for(std::chrono::milliseconds((w + c.cost.params) % 5));
      };
      try {
        mine.run(store);
      } catch (const std::exception&) {
        ++troubles;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(troubles == 0);
  return store.load();
}

}  // namespace

TEST_CASE("any number of workers up to the window gives the trials of one", "[search]") {
  const Bench bench = a_bench();
  const std::vector<Trial> alone = bench.run();
  for (const int workers : {1, 2, 4}) {
    INFO(workers << " workers");
    const auto store = search::make_memory_store();
    const std::vector<Trial> together = run_with(bench, workers, *store);
    CHECK(fakes::equal(together, alone));
    CHECK(std::ranges::count_if(together, &Trial::examined) == 24);
    CHECK(std::ranges::all_of(together, [](const Trial& t) { return t.tries <= 1; }));
  }
}

TEST_CASE("the trial of a worker that died is taken again, and nothing is lost or doubled", "[search]") {
  Bench bench = a_bench();
  const std::vector<Trial> alone = bench.run();
  const auto store = search::make_memory_store();
  // Dies in the middle: what it holds stays leased for a moment.
  bench.worker = "dead";
  bench.lease = 0.3;
  int calls = 0;
  bench.before = [&](const search::Candidate&) {
    if (++calls == 5) throw std::runtime_error("a power failure");
  };
  CHECK_THROWS(bench.run(*store));
  const std::vector<Trial> until_then = store->load();
  const auto open = std::ranges::find_if(until_then, [](const Trial& t) { return !t.finished(); });
  REQUIRE(open != until_then.end());
  Trial held = *open;
  store->claim("dead", 0.3);  // as if it had not been given back
  const std::vector<Trial> together = run_with(a_bench(), 2, *store);
  CHECK(fakes::equal(together, alone));
  held.worker = "dead";
  held.state = TrialState::Failed;
  CHECK_FALSE(store->finish(held));  // comes back too late
  CHECK(fakes::equal(store->load(), alone));
  const auto events = store->events();
  CHECK(std::ranges::count(events, "lost", &search::Event::kind) == 1);
}

TEST_CASE("a search replays, and a changed proposal is found", "[search]") {
  Bench bench = a_bench();
  for (const search::GeneratorRow& row : search::generators()) {
    INFO(row.name);
    bench.options.generator = row.name;
    bench.options.trials = 12;
    bench.generator_yaml.clear();
    const auto store = search::make_memory_store();
    const std::vector<Trial> trials = bench.run(*store);
    const auto replay = [&](search::Store& s) {
      return bench.with(s, [&](const search::SearchContext& c) { return search::replay_search(c, bench.options); });
    };
    CHECK(replay(*store).empty());
    const auto forged = search::make_memory_store();
    for (Trial trial : trials) {
      if (trial.index == 4) trial.reason += " (not what was said)";
      forged->append(trial);
    }
    CHECK(replay(*forged) == std::vector<int64_t>{4});
  }
}

TEST_CASE("prototypes are examined before anything else, by any generator", "[search]") {
  Bench bench = a_bench();
  bench.options.prototypes = {search::parse_genotype(bench.space, "w0=2 w1=3 w2=4 stride=1 unused=0"),
                              search::parse_genotype(bench.space, "w0=5 w1=5 w2=5 stride=1 unused=1")};
  for (const search::GeneratorRow& row : search::generators()) {
    INFO(row.name);
    bench.options.generator = row.name;
    bench.options.trials = 4;
    bench.generator_yaml.clear();
    const std::vector<Trial> trials = bench.run();
    for (size_t i = 0; i < 2; ++i) {
      CHECK(trials[i].genotype == bench.options.prototypes[i]);
      CHECK(trials[i].by == "prototype");
    }
    CHECK(trials[2].by != "prototype");
  }
}

TEST_CASE("a study ends when its hours of examination are spent, and goes on with more", "[search]") {
  Bench bench = a_bench();
  const std::vector<Trial> alone = bench.run();
  const auto store = search::make_memory_store();
  bench.before = [](const search::Candidate&) { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  bench.options.device_hours = 0.1 / 3600;
  const std::vector<Trial> trials = bench.run(*store);
  CHECK(std::ranges::count_if(trials, &Trial::examined) >= 4);
  CHECK(std::ranges::count_if(trials, &Trial::examined) <= 6);
  CHECK(std::ranges::count(store->events(), "budget", &search::Event::kind) == 1);
  bench.options.device_hours = 0;
  CHECK(fakes::equal(bench.run(*store), alone));
}

TEST_CASE("a study that is told to stop stops, and goes on when told so", "[search]") {
  const Bench bench = a_bench();
  const auto store = search::make_memory_store();
  store->log({.kind = "stop", .text = "enough for today"});
  CHECK(bench.run(*store).empty());
  store->log({.kind = "go on"});
  CHECK(fakes::equal(bench.run(*store), bench.run()));
}

namespace {

// Every network at a third of its cost; each third proposal, the best of those in full.
class Promoting final : public search::Generator {
 public:
  search::Proposal propose(const search::Question& q) const override {
    search::Proposal proposal = search::sample(q.space, q.rng);
    if (q.past.size() % 3 != 2) return proposal;
    const Trial* best = nullptr;
    for (const Trial& trial : q.past.seen()) {
      if (trial.rung != 0 || trial.state != TrialState::Done || trial.same_as >= 0) continue;
      const bool went_on = std::ranges::any_of(
          q.past.seen(), [&](const Trial& other) { return other.rung == 1 && other.hash == trial.hash; });
      if (went_on) continue;
      if (best == nullptr || search::rank_value(trial, q.past.objective) > search::rank_value(*best, q.past.objective))
        best = &trial;
    }
    if (best == nullptr) return proposal;
    proposal.genotype = best->genotype;
    proposal.rung = 1;
    return proposal;
  }
};

}  // namespace

TEST_CASE("a network goes on at a higher rung, which costs what is left of it", "[search]") {
  Bench bench;
  const Promoting generator;
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(std::make_unique<fakes::FormulaProbe>());
  const search::Inquisitor inquisitor(std::move(probes));
  const search::Gate gate({});
  const auto store = search::make_memory_store();
  search::SearchContext context{
      .space = bench.space, .generator = generator, .gate = gate, .inquisitor = inquisitor, .store = *store};
  context.rungs = {0.25, 1};
  const std::vector<Trial> trials = search::run_search(context, {.trials = 10});
  double spent = 0;
  int full = 0;
  for (const Trial& trial : trials) {
    CHECK(trial.fidelity == context.rungs[static_cast<size_t>(trial.rung)]);
    if (!trial.examined()) continue;
    spent += trial.rung == 0 ? 0.25 : 0.75;
    full += trial.rung;
  }
  CHECK(full > 3);
  CHECK(spent >= 10 - 1e-9);
  CHECK(spent < 11);
  const Trial* best = search::best(trials, "val_accuracy");
  REQUIRE(best != nullptr);
  CHECK(best->full());

  context.rungs = {0.5, 1};
  CHECK_THROWS_WITH(search::run_search(context, {.trials = 12}), Catch::Contains("not a rung"));
  const auto fresh = search::make_memory_store();
  search::SearchContext wrong{
      .space = bench.space, .generator = generator, .gate = gate, .inquisitor = inquisitor, .store = *fresh};
  wrong.rungs = {1, 0.5};
  CHECK_THROWS_AS(search::run_search(wrong, {.trials = 12}), core::ConfigError);
}
