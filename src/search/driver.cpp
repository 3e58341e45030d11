// The loop of a search. Everything that decides a trial is a function of the seed, its index and earlier trials, so a
// search that was killed goes on as if it had not been.

#include "condenser/search/driver.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <unordered_map>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "search/features/catalogue.hpp"

namespace condenser::search {
namespace {

constexpr uint64_t kProposeStream = 0x70726f706f7365;  // "propose"
constexpr uint64_t kExamineStream = 0x6578616d696e65;  // "examine"

uint64_t examination_seed(uint64_t seed, const core::Hash128& hash) {
  uint64_t half = 0;
  for (int i = 0; i < 8; ++i) half = half << 8 | hash.bytes[static_cast<size_t>(i)];  // same on every machine
  return core::Rng(seed, kExamineStream, half).next();
}

bool has_hash(const Trial& trial) { return trial.hash != core::Hash128{}; }

std::string found_at(const Trial& trial) { return "study: trial " + std::to_string(trial.index); }

[[noreturn]] void another_network(const Trial& trial, const std::string& stored) {
  throw core::Error(found_at(trial) + " was stored as " + stored +
                    ", but its genotype now gives another one; the space or its blocks have changed; start afresh");
}

// A trial with a hash is known by it. One that the gate refused has none (studies of before have): there the counts
// that refused it must still hold.
void check_same(const Trial& trial, const Candidate& candidate) {
  if (has_hash(trial)) {
    if (identity(candidate) != trial.hash) another_network(trial, "network " + trial.hash.hex());
    return;
  }
  for (const char* name : {"params", "macs"}) {
    const auto stored = trial.findings.metrics.find(name);
    if (stored == trial.findings.metrics.end()) continue;
    const Metric& metric = *find_metric(name);
    if (cost(candidate, metric) != stored->second)
      another_network(trial, "a network of " + core::number(stored->second) + " " + metric.unit);
  }
}

void check_index(const Trial& trial, size_t i) {
  if (trial.index == static_cast<int64_t>(i)) return;
  throw core::Error("study: trial " + std::to_string(i) + " is missing; found " + std::to_string(trial.index) +
                    " in its place; start afresh");
}

void check_objective(const Inquisitor& inquisitor, const std::string& objective) {
  if (inquisitor.finds(objective)) return;
  std::vector<std::string> found;
  for (const std::string& name : metric_names()) {
    if (inquisitor.finds(name)) found.push_back(name);
  }
  const std::string near = core::config::nearest(objective, found);
  throw core::ConfigError("search.objective = " + core::printable(objective) + ": no probe in force finds it" +
                          (near.empty() ? "" : "; did you mean " + near) + "; expected one of " + core::join(found));
}

class Search {
 public:
  Search(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch)
      : c_(context), o_(options), w_(watch) {
    check_objective(c_.inquisitor, o_.objective);
    trials_ = c_.store.load();
    for (size_t i = 0; i < trials_.size(); ++i) take_over(trials_[i], i);
  }

  std::vector<Trial> run() {
    while (examined_ < o_.trials && static_cast<int64_t>(trials_.size()) < o_.max_proposals) {
      stop_at_boundary();
      if (w_.enough && w_.enough()) return std::move(trials_);
      Trial trial = next();
      c_.store.append(trial);
      core::reached("search:trial", trial.index);
      if (trial.examined()) ++examined_;
      trials_.push_back(std::move(trial));
      if (w_.on_trial) w_.on_trial(trials_.back(), examined_);
    }
    if (examined_ < o_.trials) {
      core::log::warning("search: gave up after " + std::to_string(trials_.size()) + " proposals with " +
                         std::to_string(examined_) + " of " + std::to_string(o_.trials) +
                         " candidates examined; widen the space, loosen the gate or raise max_proposals");
    }
    return std::move(trials_);
  }

 private:
  // Stored trials must be what this program would make of their genotypes, else old and new results would mix.
  void take_over(const Trial& trial, size_t i) {
    check_index(trial, i);
    check(c_.space, trial.genotype);
    if (trial.examined()) ++examined_;
    if (trial.state == TrialState::Failed && !has_hash(trial)) return;  // it gave no network
    const Candidate candidate = c_.space.expand(trial.genotype);
    check_same(trial, candidate);
    first_with_.emplace(fingerprint(candidate), trial.index);
  }

  void stop_at_boundary() const {
    if (!core::stop_requested()) return;
    throw core::Stopped("search: stopped after " + std::to_string(trials_.size()) +
                        " trials, all stored; the same command goes on from there");
  }

  Trial next() {
    const auto start = std::chrono::steady_clock::now();
    Trial trial;
    trial.index = static_cast<int64_t>(trials_.size());
    const StudyView past = view(trial.index);
    core::Rng rng(o_.seed, kProposeStream, static_cast<uint64_t>(trial.index));
    trial.genotype = c_.generator.propose({c_.space, catalogue(), past, rng});
    try {
      judge(trial);
    } catch (const arch::SpecError& e) {
      fail(trial, e);
    } catch (const CandidateError& e) {
      fail(trial, e);
    } catch (const core::Stopped&) {
      throw;
    } catch (const core::Error& e) {
      throw trouble(trial, e.what(), e.code());
    } catch (const std::bad_alloc&) {
      throw trouble(trial, "out of memory", core::ExitCode::RunFailed);
    } catch (const std::system_error& e) {
      throw trouble(trial,
                    std::string("the system refuses a thread or another resource: ") + e.what() +
                        "; look at ulimit -u and -v and at free memory",
                    core::ExitCode::RunFailed);
    } catch (const std::exception& e) {
      throw trouble(trial, e.what(), core::ExitCode::RunFailed);
    }
    trial.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return trial;
  }

  StudyView view(int64_t index) const {
    StudyView past{&trials_, first_hidden(index), o_.objective, {}};
    for (auto i = static_cast<size_t>(past.limit); i < trials_.size(); ++i) past.running.push_back(trials_[i].genotype);
    return past;
  }

  // Trials from here to `index` are not known to its proposal.
  int64_t first_hidden(int64_t index) const {
    if (o_.batch > 1) return index - index % o_.batch;
    return std::max<int64_t>(0, index - o_.window);
  }

  const Catalogue& catalogue() const { return c_.catalogue != nullptr ? *c_.catalogue : own_catalogue_; }

  static void fail(Trial& trial, const core::Error& e) {
    trial.state = TrialState::Failed;
    trial.error = e.what();
    core::log::warning("search: candidate " + std::to_string(trial.index) + " failed: " + trial.error);
  }

  // What ends a search says nothing about the candidate.
  static core::Error trouble(const Trial& trial, const std::string& what, core::ExitCode code) {
    return core::Error("search: ended at candidate " + std::to_string(trial.index) +
                           ", of which nothing is stored: " + what + " (once that is mended, the same command goes on)",
                       code);
  }

  // expand -> seen before? -> gate -> hash -> examine. May throw half-way: what was learned until then stays. Most
  // proposals end at the gate, so that only what is examined gets its hash, which costs more than all before it.
  void judge(Trial& trial) {
    const Candidate candidate = c_.space.expand(trial.genotype);
    const auto [known, fresh] = first_with_.emplace(fingerprint(candidate), trial.index);
    if (!fresh) {
      reuse(trials_[static_cast<size_t>(known->second)], trial);
      return;
    }
    add_costs(candidate, trial.findings);
    trial.verdicts = c_.gate.before_training(candidate);
    if (!passed(trial.verdicts)) {
      trial.state = TrialState::Refused;
      return;
    }
    trial.hash = identity(candidate);
    ProbeContext context{.seed = examination_seed(o_.seed, trial.hash)};
    if (w_.on_progress) {
      context.on_progress = [&](double fraction, const std::string& doing) {
        w_.on_progress(trial.index, examined_, fraction, doing);
      };
    }
    trial.findings = c_.inquisitor.examine(candidate, context);
    add_costs(candidate, trial.findings);
    add_netscore(candidate.cost, trial.findings);
    for (const Verdict& verdict : c_.gate.after_probe(trial.findings)) trial.verdicts.push_back(verdict);
  }

  static void reuse(const Trial& earlier, Trial& trial) {
    trial.same_as = earlier.index;
    trial.hash = earlier.hash;
    trial.state = earlier.state;
    trial.verdicts = earlier.verdicts;
    trial.findings = earlier.findings;
    trial.error = earlier.error;
  }

  static void add_costs(const Candidate& candidate, Findings& findings) {
    for (const Metric& metric : metrics()) {
      if (const auto value = cost(candidate, metric)) findings.metrics[metric.name] = *value;
    }
  }

  static void add_netscore(const arch::Analysis& cost, Findings& findings) {
    const auto it = findings.metrics.find("val_accuracy");
    if (it == findings.metrics.end() || !(it->second > 0) || cost.params <= 0 || cost.macs <= 0) return;
    findings.metrics["netscore"] = arch::netscore(it->second, cost.params, cost.macs);
  }

  const SearchContext& c_;
  const SearchOptions& o_;
  const SearchWatch& w_;
  const Catalogue own_catalogue_{c_.space, c_.gate};
  std::vector<Trial> trials_;
  std::unordered_map<core::Fingerprint, int64_t, core::FingerprintHash> first_with_;  // the first trial of a network
  int64_t examined_ = 0;
};

}  // namespace

void read_options(core::config::Reader& reader, SearchOptions& o) {
  std::vector<std::string> names;
  for (const GeneratorRow& row : generators()) names.push_back(row.name);
  reader.choice("generator", o.generator, names, "how candidates are proposed");
  reader.choice("objective", o.objective, metric_names(), "metric that the winner has the best value of");
  reader.integer("trials", o.trials, 1, 10'000'000, "candidates to examine; refused ones and copies are free");
  reader.integer("max_proposals", o.max_proposals, 1, 100'000'000, "give up after so many proposals");
  reader.integer("window", o.window, 0, 4096, "trial k is proposed from trials below k - window (parallel runs)");
  reader.integer("batch", o.batch, 1, 4096, "so many are proposed together, from the same past; 1: one by one");
  reader.integer("seed", o.seed, uint64_t{0}, UINT64_MAX, "the same seed proposes the same candidates");
  if (o.max_proposals < o.trials) throw reader.error("max_proposals", "at least trials = " + std::to_string(o.trials));
}

std::vector<Trial> run_search(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch) {
  return Search(context, options, watch).run();
}

}  // namespace condenser::search
