// Searches on a look-up table, seed after seed.

#include "condenser/search/bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <set>

#include "condenser/core/statistics.hpp"
#include "condenser/search/driver.hpp"
#include "condenser/search/lesson.hpp"
#include "search/derived.hpp"
#include "search/features/catalogue.hpp"
#include "search/pareto/hypervolume.hpp"
#include "search/probes/table_probe.hpp"

namespace condenser::search {
namespace {

constexpr double kSame = 1e-9;
constexpr int kMostProposals = 1000;  // for each evaluation: refused ones and copies count too
constexpr double kAsGood = 0.005;     // percentage points: tables are rounded
const std::vector<int> kAfter = {8, 16, 32, 64};

// The best that the table has.
struct Truth {
  double best = NAN;  // value of the objective, higher is better; of several goals 1
  Point reference;    // of several goals
  double volume = 0;  // of the front above it
};

struct Outcome {
  int found = 0;             // evaluations until the best reward; 0: not found
  std::vector<double> best;  // after each evaluation; NaN: nothing feasible yet
  double test = 0;           // of the recommended network
  int64_t proposals = 0;
  bool kept_lesson = false;
};

// The table that an earlier study searched.
struct Older {
  explicit Older(const std::filesystem::path& file) : space(read_look_up(file), {}) {
    std::vector<std::unique_ptr<Probe>> probes;
    probes.push_back(make_table_probe(space, Answer::Mean));
    inquisitor.emplace(std::move(probes));
  }
  TableSpace space;
  Gate gate{GateOptions{}};
  Catalogue catalogue{space, gate};
  std::optional<Inquisitor> inquisitor;
};

// Everything but the seed.
struct Setting {
  const SearchBenchOptions& options;
  const TableSpace& space;
  const Gate& gate;
  const Catalogue& catalogue;
  const Generator& generator;
  const Inquisitor& inquisitor;
  Truth truth;
  const Older* older = nullptr;
};

bool returns(const SearchBenchOptions& o) {
  return o.protocol == "noisy" || o.protocol == "budget" || o.protocol == "trainings";
}

Answer answer_of(const SearchBenchOptions& o) {
  return o.protocol == "noisy" || o.protocol == "budget" ? Answer::Noisy : Answer::Mean;
}

Findings findings_of(const TableSpace::Network& n) {
  Findings findings{.metrics = {{"val_accuracy", n.reward}, {"params", n.params}, {"macs", n.macs}}};
  derive(findings);
  return findings;
}

// Of networks of a table, under constraints: the best value, or the front of several goals.
class Best {
 public:
  explicit Best(const Objective& objective) : objective_(objective) {}

  void add(const TableSpace::Network& n) {
    const Findings findings = findings_of(n);
    const auto values = objective_.values(findings);
    if (!values || !passed(objective_.verdicts(findings))) return;
    const auto beats = [&](const Point& p) { return p == *values || dominates(p, *values); };
    if (std::ranges::any_of(front_, beats)) return;
    std::erase_if(front_, [&](const Point& p) { return dominates(*values, p); });
    front_.push_back(*values);
  }

  const std::vector<Point>& front() const { return front_; }

  double value(const Truth& truth) const {
    if (objective_.several()) return hypervolume(front_, truth.reference) / truth.volume;
    return front_.empty() ? NAN : front_.front().front();
  }

 private:
  const Objective& objective_;
  std::vector<Point> front_;
};

Truth truth_of(const TableSpace& space, const Objective& objective) {
  Best best(objective);
  for (const TableSpace::Network& n : space.networks())
    if (n.within) best.add(n);
  if (best.front().empty())
    throw core::ConfigError("bench search: no network of the table " + space.table().name + " has a value of " +
                            objective.text() + " and meets every constraint");
  Truth truth;
  truth.reference = reference_below(best.front(), 1);
  truth.volume = hypervolume(best.front(), truth.reference);
  truth.best = best.value(truth);
  return truth;
}

std::set<int> counts_of(const SearchBenchOptions& o) {
  std::set<int> counts(kAfter.begin(), kAfter.end());
  counts.insert(o.trials);
  return counts;
}

// Not more than there are networks, or a search would look for another one for ever.
int trials_of(const Setting& s) {
  const auto within = std::ranges::count_if(s.space.networks(), [](const TableSpace::Network& n) { return n.within; });
  const int networks = static_cast<int>(within);
  return s.options.protocol == "budget" ? networks : std::min(s.options.trials, networks);
}

// Of training one network. The short trainings of a table had a schedule of their own: a full one begins anew.
double seconds_of(const TableSpace& space, const Trial& trial) {
  const LookUp& table = space.table();
  return (trial.full() ? table.epochs : table.short_epochs) * space.network(trial.genotype).epoch_seconds;
}

std::vector<double> rungs_of(const Setting& s) {
  std::vector<double> rungs;
  for (const int epochs : s.options.rungs) rungs.push_back(static_cast<double>(epochs) / s.space.table().epochs);
  rungs.push_back(1);
  if (s.options.protocol != "budget") return rungs;
  return {static_cast<double>(s.space.table().short_epochs) / s.space.table().epochs, 1};
}

// What a search returns after its first `limit` trials; of a strategy that knows no rungs the best at any; -1: nothing.
int64_t returned(const Setting& s, const std::vector<Trial>& trials, int64_t limit, uint64_t seed) {
  core::Rng rng(seed, 0x7265636f);  // "reco"
  const StudyView past{&trials, limit, s.options.objective, {}, rungs_of(s)};
  const Question question{s.space, s.catalogue, past, rng};
  // The winner of a run is the best that was measured; where measurements are noise, a strategy may know better.
  const bool as_runs = s.options.protocol == "trainings";
  int64_t found = as_runs ? s.generator.Generator::recommend(question) : s.generator.recommend(question);
  if (found >= 0) return found;
  double value = -INFINITY;
  for (const Trial& trial : past.seen()) {
    const auto here = rank_value(trial, past.objective);
    if (!trial.feasible() || !here || *here <= value) continue;
    value = *here;
    found = trial.index;
  }
  return found;
}

Lesson lesson_of_older(const Setting& s, uint64_t seed) {
  const Older& older = *s.older;
  const int trials = std::min(s.options.trials, static_cast<int>(older.space.networks().size()));
  const SearchOptions options{.generator = s.options.generator,
                              .trials = trials,
                              .max_proposals = kMostProposals * trials,
                              .batch = s.options.batch,
                              .seed = seed};
  const auto store = make_memory_store();
  const std::vector<Trial> examined = run_search({.space = older.space,
                                                  .generator = s.generator,
                                                  .gate = older.gate,
                                                  .inquisitor = *older.inquisitor,
                                                  .store = *store,
                                                  .catalogue = &older.catalogue},
                                                 options);
  return lesson_of(older.space, older.gate, examined, options.objective, {1}, older.space.table().name,
                   &older.catalogue);
}

Outcome run_once(const Setting& s, uint64_t seed) {
  const SearchOptions options{.generator = s.options.generator,
                              .objective = s.options.objective,
                              .trials = trials_of(s),
                              .max_proposals = kMostProposals * trials_of(s),
                              .batch = s.options.batch,
                              .seed = seed};
  const bool counts_returned = returns(s.options);
  const bool budget = s.options.protocol == "budget";
  double seconds = 0;
  int64_t in_time = 0;  // trials that ended within the seconds
  Outcome outcome;
  Best found(s.options.objective);
  const auto store = make_memory_store();
  std::optional<Lesson> lesson;
  if (s.older != nullptr) {
    lesson = lesson_of_older(s, seed);
    store->keep(kLesson, to_text(*lesson));
  }
  SearchWatch watch;
  watch.on_trial = [&](const Trial& trial, int64_t) {
    if (trial.state == TrialState::Done && trial.same_as < 0) {
      found.add(s.space.network(trial.genotype));
      outcome.best.push_back(found.value(s.truth));
      if (budget) seconds += seconds_of(s.space, trial);
      if (!counts_returned && outcome.found == 0 && outcome.best.back() >= s.truth.best - kSame)
        outcome.found = static_cast<int>(outcome.best.size());
    }
    if (!budget || seconds <= s.options.seconds) in_time = trial.index + 1;
  };
  watch.enough = [&] { return outcome.found > 0 || (budget && seconds >= s.options.seconds); };
  const std::vector<Trial> trials = run_search({.space = s.space,
                                                .generator = s.generator,
                                                .gate = s.gate,
                                                .inquisitor = s.inquisitor,
                                                .store = *store,
                                                .catalogue = &s.catalogue,
                                                .rungs = rungs_of(s)},
                                               options, watch);
  outcome.proposals = std::ssize(trials);
  if (lesson)
    outcome.kept_lesson =
        worth_of(*lesson, s.space, s.gate, trials, options.objective, rungs_of(s), &s.catalogue).weight > 0;
  const int64_t best = returned(s, trials, in_time, seed);
  if (best >= 0) outcome.test = s.space.network(trials[static_cast<size_t>(best)].genotype).test;
  return outcome;
}

void check_rungs(const SearchBenchOptions& o, const TableSpace& space) {
  const std::vector<int>& rungs = o.rungs;
  if (rungs.empty()) return;
  if (o.protocol != "trainings") throw core::ConfigError("bench search: --rungs; expected --protocol trainings");
  if (space.networks().front().curve.empty())
    throw core::ConfigError("bench search: --rungs; the table " + space.table().name + " has no column for each epoch");
  const bool ascending = std::adjacent_find(rungs.begin(), rungs.end(), std::greater_equal<>()) == rungs.end();
  if (!ascending || rungs.front() < 1 || rungs.back() >= space.table().epochs)
    throw core::ConfigError("bench search: --rungs; expected epochs below " + std::to_string(space.table().epochs) +
                            ", ascending");
}

// Mean, median and interval of what was returned.
void sum_up_tests(SearchBenchResult& result) {
  const auto n = static_cast<double>(result.tests.size());
  for (const double test : result.tests) result.mean_test += test / n;
  result.median_test = core::median(result.tests);
  double squares = 0;
  for (const double test : result.tests) squares += std::pow(test - result.mean_test, 2);
  const double margin = n > 1 ? 1.96 * std::sqrt(squares / (n - 1) / n) : 0;
  result.interval_of_mean_test = {result.mean_test - margin, result.mean_test + margin};
}

}  // namespace

std::vector<std::string> search_bench_protocols() {
  return {"noise_free", "noisy", "constrained", "budget", "trainings"};
}

SearchBenchResult bench_search(const SearchBenchOptions& o) {
  const bool constrained = o.protocol == "constrained";
  if (constrained && o.max_params <= 0 && o.max_macs <= 0)
    throw core::ConfigError("bench search: protocol constrained; expected --max-params or --max-macs");
  const LookUpBounds bounds = constrained ? LookUpBounds{o.max_params, o.max_macs} : LookUpBounds{};
  const TableSpace space(read_look_up(o.table), bounds);
  const bool plain = o.objective.goals.size() == 1 && o.objective.goals.front().text == "val_accuracy" &&
                     o.objective.constraints.empty();
  if (!plain && returns(o))
    throw core::ConfigError("bench search: protocol " + o.protocol +
                            "; expected the objective val_accuracy without constraints, or a protocol that counts " +
                            "evaluations");
  if (o.protocol == "budget" && space.table().short_epochs == 0)
    throw core::ConfigError("bench search: protocol budget; the table " + space.table().name +
                            " has no short trainings");
  check_rungs(o, space);
  GateOptions gate_options;
  gate_options.max_params = static_cast<int64_t>(bounds.max_params);
  gate_options.max_macs = static_cast<int64_t>(bounds.max_macs);
  const Gate gate(gate_options);
  const Catalogue catalogue(space, gate);
  auto reader = core::config::Reader::empty();
  const auto generator = make_generator(o.generator, reader);
  std::vector<std::unique_ptr<Probe>> probes;
  probes.push_back(make_table_probe(space, answer_of(o)));
  const Inquisitor inquisitor(std::move(probes));

  SearchBenchResult result;
  const Truth truth = truth_of(space, o.objective);
  result.best_reward = truth.best;
  for (const TableSpace::Network& n : space.networks())
    if (n.within) result.best_test = std::max(result.best_test, n.test);
  if (!o.learn_from.empty() && (!can_learn(o.objective) || o.generator != "generative_synthesis"))
    throw core::ConfigError(
        "bench search: --learn-from; expected generator generative_synthesis and a single objective");
  std::optional<Older> older;
  if (!o.learn_from.empty()) older.emplace(o.learn_from);
  const Setting setting{o, space, gate, catalogue, *generator, inquisitor, truth, older ? &*older : nullptr};
  int64_t proposals = 0;
  int hits = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int s = 0; s < o.seeds; ++s) {
    const Outcome outcome = run_once(setting, o.first_seed + static_cast<uint64_t>(s));
    result.evaluations.push_back(outcome.found > 0 ? outcome.found : 2 * o.trials);
    result.tests.push_back(outcome.test);
    proposals += outcome.proposals;
    result.lessons_kept += outcome.kept_lesson ? 1.0 / o.seeds : 0;
    hits += returns(o) ? outcome.test >= result.best_test - kAsGood : outcome.found > 0;
    for (const int n : counts_of(o))
      if (n <= o.trials && !outcome.best.empty())
        result.best_after[n] += outcome.best[std::min(static_cast<size_t>(n), outcome.best.size()) - 1] / o.seeds;
  }
  std::erase_if(result.best_after, [](const auto& entry) { return std::isnan(entry.second); });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  result.milliseconds_per_proposal = 1000 * seconds.count() / static_cast<double>(std::max<int64_t>(1, proposals));
  const double n = o.seeds;
  for (const int e : result.evaluations) result.mean_evaluations += e / n;
  sum_up_tests(result);
  double squares = 0;
  for (const int e : result.evaluations) squares += std::pow(e - result.mean_evaluations, 2);
  result.deviation_of_mean = std::sqrt(squares) / n;
  result.median_evaluations = core::median({result.evaluations.begin(), result.evaluations.end()});
  result.hit_share = hits / n;
  return result;
}

}  // namespace condenser::search
