#include "condenser/search/driver.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>
#include <set>
#include <system_error>

#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using fakes::Bench;
using search::Trial;
using search::TrialState;

namespace {

Bench a_bench() {
  Bench bench;
  bench.options.trials = 20;
  bench.generator_yaml = "{population: 6, tournament: 2}";
  bench.gate_options.rules = {"no_strided_pointwise"};
  bench.gate_options.max_params = 70;
  bench.gate_options.comparator = search::Comparator{.name = "net", .min_probe_accuracy = 80};
  return bench;
}

// Clears a stop request however the test ends.
struct NoStop {
  ~NoStop() { core::request_stop(0); }
};

int64_t examined(const std::vector<Trial>& trials) {
  return std::count_if(trials.begin(), trials.end(), [](const Trial& t) { return t.examined(); });
}

}  // namespace

TEST_CASE("a search keeps every constraint and records every refusal", "[search]") {
  const Bench bench = a_bench();
  const std::vector<Trial> trials = bench.run();
  CHECK(examined(trials) == 20);
  int refused = 0, feasible = 0, copies = 0;
  std::set<core::Hash128> seen;
  for (size_t i = 0; i < trials.size(); ++i) {
    const Trial& t = trials[i];
    INFO("trial " << i);
    CHECK(t.index == static_cast<int64_t>(i));
    const arch::Design design = bench.space.expand(t.genotype);
    const core::Hash128 hash = arch::hash(design.spec);
    CHECK(t.hash == (t.state == TrialState::Refused ? core::Hash128{} : hash));  // made for what is examined
    CHECK((t.same_as >= 0) == !seen.insert(hash).second);
    CHECK(t.findings.metrics.at("params") == static_cast<double>(design.cost.params));
    CHECK(t.findings.metrics.at("macs") == static_cast<double>(design.cost.macs));
    CHECK(t.findings.metrics.at("constant_bytes") == static_cast<double>(design.lowered_cost.constant_bytes));
    CHECK(t.findings.metrics.at("arena_bytes") == static_cast<double>(design.plan.peak_bytes));
    const bool strided = search::value(bench.space, t.genotype, "stride") == 2;
    const bool allowed = !strided && design.cost.params <= 70;
    CHECK((t.state == TrialState::Refused) == !allowed);
    if (t.feasible()) {
      CHECK(allowed);
      CHECK(t.findings.metrics.at("val_accuracy") >= 80);
      CHECK(t.findings.metrics.at("netscore") ==
            arch::netscore(t.findings.metrics.at("val_accuracy"), design.cost.params, design.cost.macs));
      ++feasible;
    }
    if (t.state == TrialState::Refused) {
      ++refused;
      CHECK(t.findings.metrics.count("val_accuracy") == 0);
      for (const search::Verdict& v : t.verdicts) {
        if (v.passed) continue;
        CHECK((v.rule == "no_strided_pointwise" || v.rule == "max_params"));
        CHECK(v.node == (v.rule == "max_params" ? "" : "c0"));
        CHECK_FALSE(v.value.empty());
        CHECK_FALSE(v.limit.empty());
      }
    }
    if (t.same_as >= 0) {
      ++copies;
      const Trial& first = trials[static_cast<size_t>(t.same_as)];
      CHECK(first.hash == t.hash);
      CHECK(first.same_as < 0);
      CHECK(first.findings == t.findings);
      CHECK(first.verdicts == t.verdicts);
      CHECK(first.state == t.state);
    }
  }
  CHECK(refused > 0);
  CHECK(feasible > 0);
  CHECK(copies > 0);
}

TEST_CASE("a search stopped after any trial and gone on equals one that never stopped", "[search]") {
  NoStop guard;
  Bench bench = a_bench();
  bench.options.window = 2;
  bench.options.trials = 12;
  const std::vector<Trial> whole = bench.run();
  for (int64_t k = 0; k + 1 < static_cast<int64_t>(whole.size()); ++k) {
    INFO("stopped after trial " << k);
    const auto store = search::make_memory_store();
    const auto stop_at_k = [&](const Trial& t, int64_t) {
      if (t.index == k) core::request_stop(SIGINT);
    };
    CHECK_THROWS_AS(bench.run(*store, stop_at_k), core::Stopped);
    CHECK(store->load().size() == static_cast<size_t>(k + 1));
    core::request_stop(0);
    REQUIRE(fakes::equal(bench.run(*store), whole));
    CHECK(fakes::equal(store->load(), whole));
  }
}

TEST_CASE("a stop inside a probe stores nothing of that candidate", "[search]") {
  NoStop guard;
  Bench bench = a_bench();
  const std::vector<Trial> whole = bench.run();
  const auto store = search::make_memory_store();
  int calls = 0;
  bench.before = [&](const search::Candidate&) {
    if (++calls % 2 == 1) return;
    core::request_stop(SIGTERM);
    throw core::Stopped("probe stopped");
  };
  int stops = 0;
  while (true) {
    try {
      const std::vector<Trial> trials = bench.run(*store);
      CHECK(fakes::equal(trials, whole));
      break;
    } catch (const core::Stopped& e) {
      CHECK(e.code() == core::ExitCode::Terminated);
      core::request_stop(0);
      REQUIRE(++stops < 100);
    }
  }
  CHECK(stops > 5);
}

TEST_CASE("a search killed and gone on in SQLite equals one that never was", "[search]") {
  const Bench bench = a_bench();
  const std::vector<Trial> whole = bench.run();
  std::string folder = (std::filesystem::temp_directory_path() / "condenser_driver_XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string file = folder + "/study.sqlite";
  for (int64_t k : {int64_t{0}, int64_t{3}, static_cast<int64_t>(whole.size()) / 2}) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto store = search::make_sqlite_store(file);
      bench.run(*store, [&](const Trial& t, int64_t) {
        if (t.index >= k) kill(getpid(), SIGKILL);
      });
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
  }
  CHECK(fakes::equal(bench.run(*search::make_sqlite_store(file)), whole));
  CHECK(fakes::equal(search::make_sqlite_store(file)->load(), whole));
  std::filesystem::remove_all(folder);
}

TEST_CASE("a finished search does nothing more; a larger one goes on", "[search]") {
  Bench bench = a_bench();
  const auto store = search::make_memory_store();
  const std::vector<Trial> first = bench.run(*store);
  int more = 0;
  const auto count = [&](const Trial&, int64_t) { ++more; };
  CHECK(fakes::equal(bench.run(*store, count), first));
  CHECK(more == 0);
  bench.options.trials = 25;
  const std::vector<Trial> longer = bench.run(*store, count);
  CHECK(examined(longer) == 25);
  CHECK(fakes::equal(longer, bench.run()));
}

TEST_CASE("a candidate that fails is a failed trial and the search goes on", "[search]") {
  Bench bench = a_bench();
  int calls = 0;
  bench.before = [&](const search::Candidate&) {
    if (++calls % 3 == 0) throw search::CandidateError("loss is not finite");
    if (calls % 7 == 0) throw arch::SpecError("c0", "cannot be trained");
  };
  const std::vector<Trial> trials = bench.run();
  CHECK(examined(trials) == 20);
  CHECK(calls == 20);
  const auto failed = std::count_if(trials.begin(), trials.end(), [](const Trial& t) {
    return t.state == TrialState::Failed && t.same_as < 0 && !t.error.empty() && !t.feasible();
  });
  CHECK(failed == 8);
  CHECK(search::best(trials, "val_accuracy") != nullptr);
}

// Each kind of trouble at each candidate: the search ends, nothing is stored of the candidate, the same call goes on.
TEST_CASE("trouble of the surroundings ends a search, stores nothing and leaves no trace", "[search]") {
  Bench bench = a_bench();
  bench.options.trials = 6;
  const std::vector<Trial> whole = bench.run();
  const std::vector<std::function<void()>> troubles = {
      [] { throw core::Error("picture.png: cannot be read"); }, [] { throw std::bad_alloc(); },
      [] { throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)); },
      [] { throw std::runtime_error("driver shut down"); },
      [] { throw core::ConfigError("libcondenser_torch.so not found"); }};
  for (size_t kind = 0; kind < troubles.size(); ++kind) {
    INFO("trouble " << kind);
    const auto store = search::make_memory_store();
    int calls = 0;
    bench.before = [&](const search::Candidate&) {
      if (++calls % 2 == 1) troubles[kind]();
    };
    int ends = 0;
    for (bool done = false; !done;) {
      try {
        const std::vector<Trial> trials = bench.run(*store);
        CHECK(fakes::equal(trials, whole));
        done = true;
      } catch (const core::Error& e) {
        const std::vector<Trial> stored = store->load();
        const Trial& open = stored.back();  // proposed, and given back
        CHECK((open.state == TrialState::Proposed && open.findings.node_scores.empty()));
        CHECK_THAT(e.what(),
                   Catch::Contains("candidate " + std::to_string(open.index)) && Catch::Contains("nothing is stored"));
        CHECK(e.code() == (kind == 4 ? core::ExitCode::Usage : core::ExitCode::RunFailed));
        REQUIRE(++ends < 20);
      }
    }
    CHECK(ends == 6);
  }
}

TEST_CASE("each candidate is made, and so lowered and costed, once", "[search]") {
  class CountingSpace final : public search::Space {
   public:
    mutable int expanded = 0;
    fakes::ChainSpace inner;
    const std::vector<search::Decision>& decisions() const override { return inner.decisions(); }
    search::Candidate expand(const search::Genotype& genotype) const override {
      ++expanded;
      return inner.expand(genotype);
    }
  };
  const Bench bench = a_bench();
  const CountingSpace space;
  auto reader = core::config::Reader::from_text(bench.generator_yaml, "test");
  const auto generator = search::make_generator("evolution", reader);
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(std::make_unique<fakes::FormulaProbe>());
  const search::Inquisitor inquisitor(std::move(probes));
  const search::Gate gate(bench.gate_options);
  const auto store = search::make_memory_store();
  const std::vector<Trial> trials = search::run_search({space, *generator, gate, inquisitor, *store}, bench.options);
  CHECK(fakes::equal(trials, bench.run()));
  CHECK(space.expanded == static_cast<int>(trials.size()));
}

TEST_CASE("a search tells what it examines and how far it is", "[search]") {
  Bench bench = a_bench();
  std::vector<std::pair<int64_t, int64_t>> told;  // trial, examined before it
  bench.on_progress = [&](int64_t trial, int64_t examined, double fraction, const std::string& doing) {
    told.emplace_back(trial, examined);
    CHECK(fraction == 0.5);
    CHECK(doing == "a formula");
  };
  const std::vector<Trial> trials = bench.run();
  std::vector<std::pair<int64_t, int64_t>> expected;
  for (const Trial& t : trials) {
    if (t.state == TrialState::Refused || t.same_as >= 0) continue;
    expected.emplace_back(t.index, static_cast<int64_t>(expected.size()));
  }
  CHECK(told == expected);
}

TEST_CASE("an objective that no probe finds is refused before anything is proposed", "[search]") {
  Bench bench = a_bench();
  search::Objective floor;
  floor.constraints.push_back(search::Constraint::parse("val_loss", "< 1"));
  for (const search::Objective& objective : {search::Objective("val_accuracy - val_loss"), floor}) {
    bench.options.objective = objective;
    const auto store = search::make_memory_store();
    CHECK_THROWS_AS(bench.run(*store), core::ConfigError);
    CHECK_THROWS_WITH(bench.run(*store), Catch::Contains("finds val_loss; expected one of val_accuracy"));
    CHECK(store->load().empty());
  }
  for (const char* objective : {"netscore", "params", "val_accuracy - log10(macs)"}) {
    bench.options.objective = objective;
    CHECK(search::best(bench.run(), objective) != nullptr);
  }
}

TEST_CASE("a constraint on what is measured is hard, and on record", "[search]") {
  Bench bench = a_bench();
  bench.gate_options.comparator.reset();
  bench.options.objective.constraints.push_back(search::Constraint::parse("val_accuracy", ">= 85"));
  int met = 0, missed = 0;
  for (const Trial& trial : bench.run()) {
    if (trial.state != TrialState::Done) continue;
    const bool meets = trial.findings.metrics.at("val_accuracy") >= 85;
    CHECK(trial.feasible() == meets);
    CHECK(trial.verdicts.back().rule == "min_val_accuracy");
    CHECK(trial.verdicts.back().limit == "at least 85 %");
    ++(meets ? met : missed);
  }
  CHECK(met > 0);
  CHECK(missed > 0);
}

TEST_CASE("a space that the gate refuses as a whole ends with reasons", "[search]") {
  Bench bench = a_bench();
  bench.gate_options.max_params = 1;
  bench.options.max_proposals = 200;
  const std::vector<Trial> trials = bench.run();
  CHECK(trials.size() == 200);
  CHECK(examined(trials) == 0);
  CHECK(search::best(trials, "val_accuracy") == nullptr);
  const std::map<std::string, int64_t> refusals = search::refusals_by_rule(trials);
  CHECK(refusals.at("max_params") == 200);
  const auto strided = std::count_if(trials.begin(), trials.end(), [&](const Trial& t) {
    return search::value(bench.space, t.genotype, "stride") == 2;
  });
  CHECK(refusals.at("no_strided_pointwise") == strided);
  CHECK(refusals.size() == 2);
}

TEST_CASE("an exhausted space ends", "[search]") {
  Bench bench;
  bench.space = fakes::ChainSpace(1, 2);
  bench.options.max_proposals = 100;
  const std::vector<Trial> trials = bench.run();
  CHECK(trials.size() == 100);
  CHECK(examined(trials) == 4);  // 2 widths x 2 strides
}

TEST_CASE("the seed decides, and equal networks get equal answers", "[search]") {
  Bench bench = a_bench();
  const std::vector<Trial> one = bench.run();
  CHECK(fakes::equal(one, bench.run()));
  bench.options.seed = 2;
  CHECK_FALSE(fakes::equal(one, bench.run()));

  // Found by another route (another generator, another index), a network has the same findings.
  bench.options.seed = 1;
  bench.options.generator = "random";
  bench.generator_yaml.clear();
  std::map<core::Hash128, search::Findings> findings;
  for (const Trial& t : one) findings[t.hash] = t.findings;
  int shared = 0;
  for (const Trial& t : bench.run()) {
    const auto it = findings.find(t.hash);
    if (it == findings.end() || t.state != TrialState::Done) continue;
    ++shared;
    CHECK(it->second == t.findings);
  }
  CHECK(shared > 0);
}

TEST_CASE("evolution beats random search", "[search]") {
  const auto mean_best = [](const std::string& generator) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      Bench bench;
      bench.space = fakes::ChainSpace(6, 8);
      bench.options.generator = generator;
      if (generator == "evolution") bench.generator_yaml = "{population: 10, tournament: 4}";
      bench.options.trials = 100;
      bench.options.seed = seed;
      const std::vector<Trial> trials = bench.run();
      sum += search::best(trials, "val_accuracy")->findings.metrics.at("val_accuracy");
    }
    return sum / 8;
  };
  CHECK(mean_best("evolution") > mean_best("random") + 1);
}

TEST_CASE("proposal k sees the trials below k - window", "[search]") {
  class NotingGenerator final : public search::Generator {
   public:
    mutable std::vector<int64_t> limits;
    search::Proposal propose(const search::Question& q) const override {
      limits.push_back(q.past.limit);
      CHECK(q.past.objective.text() == "macs");
      return search::sample(q.space, q.rng);
    }
  };
  const fakes::ChainSpace space;
  const search::Inquisitor inquisitor({});
  const search::Gate gate({});
  for (int window : {0, 3}) {
    const NotingGenerator generator;
    const auto store = search::make_memory_store();
    const std::vector<Trial> trials = search::run_search({space, generator, gate, inquisitor, *store},
                                                         {.objective = "macs", .trials = 10, .window = window});
    REQUIRE(generator.limits.size() == trials.size());
    for (int64_t k = 0; k < static_cast<int64_t>(trials.size()); ++k) {
      CHECK(generator.limits[static_cast<size_t>(k)] == std::max<int64_t>(0, k - window));
    }
  }
}

TEST_CASE("proposals of one batch see the same past, and each other's genotypes", "[search]") {
  class NotingGenerator final : public search::Generator {
   public:
    mutable std::vector<std::pair<int64_t, size_t>> seen;
    search::Proposal propose(const search::Question& q) const override {
      seen.emplace_back(q.past.limit, q.past.running.size());
      return search::sample(q.space, q.rng);
    }
  };
  const fakes::ChainSpace space;
  const NotingGenerator generator;
  const search::Inquisitor inquisitor({});
  const search::Gate gate({});
  const auto store = search::make_memory_store();
  const std::vector<Trial> trials =
      search::run_search({space, generator, gate, inquisitor, *store}, {.objective = "macs", .trials = 10, .batch = 4});
  REQUIRE(generator.seen.size() == trials.size());
  for (size_t k = 0; k < trials.size(); ++k)
    CHECK(generator.seen[k] == std::pair(static_cast<int64_t>(k - k % 4), k % 4));
}

TEST_CASE("generative synthesis proposes no network twice while there are others", "[search]") {
  Bench bench;
  bench.space = fakes::ChainSpace(2, 3);
  bench.options.generator = "generative_synthesis";
  bench.options.trials = 18;  // 3 x 3 widths, 2 strides; `unused` changes nothing
  CHECK(bench.run().size() == 18);
}

TEST_CASE("a study of before, with the hash of every trial, goes on as if it had been written now", "[search]") {
  Bench bench = a_bench();
  const std::vector<Trial> whole = bench.run();
  const auto old = search::make_memory_store();
  for (size_t i = 0; i < 20; ++i) {
    Trial trial = whole[i];
    trial.hash = arch::hash(bench.space.expand(trial.genotype).spec);
    old->append(trial);
  }
  std::vector<Trial> resumed = bench.run(*old);
  for (size_t i = 0; i < 20; ++i) resumed[i].hash = whole[i].hash;
  CHECK(fakes::equal(resumed, whole));
}

TEST_CASE("a refused trial whose genotype now gives another network is refused by its counts", "[search]") {
  Bench bench = a_bench();
  const std::vector<Trial> trials = bench.run();
  for (const char* name : {"params", "macs"}) {
    const auto store = search::make_memory_store();
    int64_t changed = -1;
    for (Trial trial : trials) {
      if (changed < 0 && trial.state == TrialState::Refused) {
        changed = trial.index;
        trial.findings.metrics[name] += 1;
      }
      store->append(trial);
    }
    REQUIRE(changed >= 0);
    CHECK_THROWS_WITH(bench.run(*store),
                      Catch::Contains("trial " + std::to_string(changed) + " was") && Catch::Contains("start afresh"));
  }
}

TEST_CASE("a store of another space or with a hole is refused", "[search]") {
  Bench bench = a_bench();
  const std::vector<Trial> trials = bench.run();
  const auto hole = search::make_memory_store();
  for (const Trial& t : trials) {
    if (t.index != 3) hole->append(t);
  }
  CHECK_THROWS_WITH(bench.run(*hole), Catch::Contains("trial 3 is missing"));

  const auto changed = search::make_memory_store();
  Trial other = trials[0];
  other.hash = core::hash128("another network");  // whatever its state: a hash that is there must hold
  changed->append(other);
  CHECK_THROWS_WITH(bench.run(*changed), Catch::Contains("start afresh"));

  const auto store = search::make_memory_store();
  for (const Trial& t : trials) store->append(t);
  bench.space = fakes::ChainSpace(7, 2);
  CHECK_THROWS_AS(bench.run(*store), core::Error);
}

TEST_CASE("search options come from YAML and refuse nonsense", "[search]") {
  const auto read = [](const std::string& yaml) {
    auto reader = core::config::Reader::from_text(yaml, "run.yaml");
    search::SearchOptions options;
    search::read_options(reader, options);
    reader.finish();
    return options;
  };
  CHECK(read("{generator: random, trials: 5, seed: 18446744073709551615}").seed == UINT64_MAX);
  CHECK_THROWS_AS(read("{generator: luck}"), core::ConfigError);
  CHECK_THROWS_AS(read("{trials: 0}"), core::ConfigError);
  CHECK_THROWS_AS(read("{trials: 50, max_proposals: 49}"), core::ConfigError);
  CHECK_THROWS_AS(read("{trails: 50}"), core::ConfigError);
  CHECK(read("{objective: val_loss}").objective.text() == "val_loss");
  CHECK_THROWS_WITH(read("{objective: val_acuracy}"), Catch::Contains("val_accuracy"));
  CHECK(read("{generator: nsga2, objectives: [val_accuracy, macs]}").objective.several());
  CHECK_THROWS_WITH(read("{generator: local, objectives: [val_accuracy, macs]}"),
                    Catch::Contains("several objectives: ") && Catch::Contains("nsga2"));
}
