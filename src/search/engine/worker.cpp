// The loop of a worker. Everything that decides a trial is a function of the seed, its index and earlier trials, so a
// search that was killed, or done by many, goes on as if it had not been.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <system_error>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "search/engine/heart.hpp"
#include "search/engine/judge.hpp"
#include "search/engine/proposer.hpp"

namespace condenser::search {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kNothingSpent = 1e-9;  // sums of shares are not exact
constexpr double kSecondsPerHour = 3600;

void check_objective(const Inquisitor& inquisitor, const Objective& objective) {
  std::vector<std::string> found;
  for (const std::string& name : metric_names()) {
    if (inquisitor.finds(name)) found.push_back(name);
  }
  for (const Metric* metric : objective.metrics()) {
    if (inquisitor.finds(metric->name)) continue;
    throw core::ConfigError("search.objective: no probe in force finds " + metric->name + "; expected one of " +
                            core::join(found));
  }
}

void check_rungs(const std::vector<double>& rungs) {
  const bool ascending = std::ranges::is_sorted(rungs, std::less_equal<>()) || rungs.size() == 1;
  if (!rungs.empty() && rungs.front() > 0 && rungs.back() == 1 && ascending) return;
  throw core::ConfigError("search: rungs; expected ascending shares of the full examination, the last of them 1");
}

// What ends a search says nothing about the candidate.
core::Error trouble(int64_t trial, const std::string& what, core::ExitCode code) {
  return core::Error("search: ended at candidate " + std::to_string(trial) + ", of which nothing is stored: " + what +
                         " (once that is mended, the same command goes on)",
                     code);
}

[[noreturn]] void rethrow_as_trouble(int64_t trial) {
  try {
    throw;
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
}

// Events that end or open a study for everybody.
class Signals {
 public:
  explicit Signals(const Store& store) : store_(store) {}
  // Looks at most once a second.
  void look() {
    if (Clock::now() < due_) return;
    due_ = Clock::now() + std::chrono::seconds(1);
    for (const Event& event : store_.events(seen_)) {
      seen_ = event.id;
      if (event.kind == "started") started_ = event.time;
      if (event.kind == "stop") stopped_ = true;
      if (event.kind == "go on") stopped_ = false;
    }
  }
  bool stopped() const { return stopped_; }
  std::optional<double> started() const { return started_; }

 private:
  const Store& store_;
  int64_t seen_ = 0;
  bool stopped_ = false;
  std::optional<double> started_;
  Clock::time_point due_ = Clock::time_point::min();
};

class Worker {
 public:
  Worker(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch)
      : c_(context), o_(options), w_(watch) {
    check_objective(c_.inquisitor, o_.objective);
    check_rungs(c_.rungs);
  }

  std::vector<Trial> run() {
    while (true) {
      stop_at_boundary();
      sync();
      if (w_.enough && w_.enough()) break;
      signals_.look();
      if (std::optional<Held> held = take()) {
        examine(*held);
        waits_ = 0;
        continue;
      }
      if (!wants_more() && (history_.all_finished() || signals_.stopped())) break;
      wait();
    }
    say_why_it_ended();
    return history_.trials();
  }

 private:
  // A trial that this worker has taken on.
  struct Held {
    Trial trial;
    std::optional<Candidate> candidate;
    bool of_another = false;
  };

  void sync() {
    history_.sync([&](const Trial& trial) {
      if (w_.on_trial) w_.on_trial(trial, history_.examined());
    });
  }

  void stop_at_boundary() const {
    if (!core::stop_requested()) return;
    throw core::Stopped("search: stopped after " + std::to_string(history_.next()) +
                        " trials, all stored; the same command goes on from there");
  }

  bool wants_more() {
    if (signals_.stopped() || history_.next() >= o_.max_proposals) return false;
    if (o_.trials - history_.spent() <= kNothingSpent) return false;
    return !hours_are_over() && gain_is_worth_it();
  }

  bool hours_are_over() {
    if (o_.device_hours > 0 && history_.seconds() >= o_.device_hours * kSecondsPerHour)
      return end("device_hours", core::number(o_.device_hours) + " hours of examinations are spent");
    if (o_.max_hours <= 0 || !signals_.started()) return false;
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    if (now - *signals_.started() < o_.max_hours * kSecondsPerHour) return false;
    return end("max_hours", core::number(o_.max_hours) + " hours have passed since the first proposal");
  }

  // The latest proposals, together, against the time that an examination takes.
  bool gain_is_worth_it() {
    constexpr int64_t kLatest = 4;
    if (o_.min_gain_per_hour <= 0 || history_.examined() < 2 * kLatest) return true;
    double gain = 0;
    int64_t forecasts = 0;
    for (auto t = history_.trials().rbegin(); t != history_.trials().rend() && forecasts < kLatest; ++t) {
      if (!t->forecast || !t->examined()) continue;
      gain += t->forecast->gain;
      ++forecasts;
    }
    if (forecasts < kLatest) return true;
    const double hours = history_.seconds() / kSecondsPerHour / static_cast<double>(history_.examined());
    const double per_hour = gain / kLatest / std::max(hours, 1e-12);
    if (per_hour >= o_.min_gain_per_hour) return true;
    end("min_gain_per_hour",
        "the expected gain of " + core::number(per_hour) + " per hour is below " + core::number(o_.min_gain_per_hour));
    return false;
  }

  // Always true: it has ended. Told once.
  bool end(const std::string& what, const std::string& words) {
    if (ended_by_.empty()) {
      ended_by_ = what;
      c_.store.log({.kind = "budget", .worker = c_.worker, .text = what + ": " + words});
      core::log::info("search: no further proposals: " + words);
    }
    return true;
  }

  // One that nobody works on, or else the next proposal that is to be examined.
  std::optional<Held> take() {
    if (auto trial = claim()) return Held{*trial, std::nullopt};
    while (may_propose()) {
      stop_at_boundary();
      const auto turn = c_.store.turn([] { return core::stop_requested(); });
      if (!turn) break;
      if (shared()) sync();
      if (!may_propose()) break;
      Held held = propose();
      if (!held.of_another && held.trial.state == TrialState::Running) return held;
      if (w_.enough && w_.enough()) break;
    }
    return std::nullopt;
  }

  bool shared() const { return c_.lease > 0; }

  // What is leased to others is asked for now and then only.
  std::optional<Trial> claim() {
    if (signals_.stopped() || history_.all_finished()) return std::nullopt;
    if (!history_.any_waits() && Clock::now() < next_claim_) return std::nullopt;
    next_claim_ =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(c_.lease / 4));
    return c_.store.claim(c_.worker, c_.lease);
  }

  bool may_propose() { return wants_more() && history_.all_finished_below(proposer_.first_hidden(history_.next())); }

  Held propose() {
    const int64_t index = history_.next();
    if (index == 0 && !signals_.started()) c_.store.log({.kind = "started", .worker = c_.worker});
    Held held;
    try {
      held.trial = proposer_.propose(index, history_.trials());
      held.candidate = judge_.admit(held.trial, history_);
    } catch (...) {
      rethrow_as_trouble(index);
    }
    if (held.trial.state == TrialState::Proposed && held.trial.same_as < 0) {
      held.trial.state = TrialState::Running;
      held.trial.worker = c_.worker;
      held.trial.tries = 1;
    }
    if (!c_.store.append(held.trial, c_.lease)) return out_of_turn(index);
    core::reached("search:trial", index);
    history_.add(held.trial, held.candidate);
    if (held.trial.finished() || held.trial.same_as >= 0) sync();
    return held;
  }

  // A server that was away may have given the turn to two. The other's proposal is the same.
  Held out_of_turn(int64_t index) {
    if (!shared())
      throw core::Error("study: trial " + std::to_string(index) +
                        " is stored already; does another process write to this study?");
    sync();
    return {history_.trials()[static_cast<size_t>(index)], std::nullopt, true};
  }

  void examine(Held& held) {
    Trial& trial = held.trial;
    const auto start = Clock::now();
    try {
      if (!held.candidate) held.candidate = c_.space.expand(trial.genotype);
      const Heart heart(c_.store, c_.worker, c_.lease);
      judge_.examine(trial, *held.candidate, context_of(trial));
    } catch (...) {
      give_back(trial.index);
      rethrow_as_trouble(trial.index);
    }
    trial.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!c_.store.finish(trial))
      core::log::warning("search: candidate " + std::to_string(trial.index) +
                         " was examined by another worker meanwhile, whose findings count");
    core::reached("search:finish", trial.index);
  }

  // So that nobody has to wait until the lease runs out. If even that fails, it does run out.
  void give_back(int64_t index) {
    Trial trial = history_.trials()[static_cast<size_t>(index)];
    trial.state = TrialState::Proposed;
    trial.worker = c_.worker;
    try {
      c_.store.finish(trial);
    } catch (const std::exception& e) {
      core::log::warning("search: candidate " + std::to_string(index) + " could not be given back: " + e.what());
    }
  }

  ProbeContext context_of(const Trial& trial) const {
    ProbeContext context;
    context.folder = c_.folder;
    if (w_.on_progress) {
      context.on_progress = [this, index = trial.index](double fraction, const std::string& doing) {
        w_.on_progress(index, history_.examined(), fraction, doing);
      };
    }
    return context;
  }

  // Others finish what the next proposal must know.
  void wait() {
    if (!shared())
      throw core::Error(
          "search: a trial of the study is examined by another process; a study that is shared needs "
          "workers with a lease");
    constexpr int kFirst = 2,
                  kDoublings = 6;  // milliseconds; often another is done in a moment, and else it may take hours
    const int shift = std::min(waits_++, kDoublings);
    std::this_thread::sleep_for(std::chrono::milliseconds(kFirst << shift));
  }

  void say_why_it_ended() const {
    if (signals_.stopped()) core::log::info("search: the study was told to stop; it goes on when told so");
    if (!ended_by_.empty() || signals_.stopped() || history_.next() < o_.max_proposals ||
        o_.trials - history_.spent() <= kNothingSpent)
      return;
    core::log::warning("search: gave up after " + std::to_string(history_.next()) + " proposals with " +
                       std::to_string(history_.examined()) + " of " + std::to_string(o_.trials) +
                       " candidates examined; widen the space, loosen the gate or raise max_proposals");
  }

  const SearchContext& c_;
  const SearchOptions& o_;
  const SearchWatch& w_;
  const Catalogue own_catalogue_{c_.space, c_.gate};
  const Catalogue& catalogue_ = c_.catalogue != nullptr ? *c_.catalogue : own_catalogue_;
  History history_{c_.space, c_.store, c_.rungs};
  const Judge judge_{c_.space, c_.gate, c_.inquisitor, o_.objective, o_.seed};
  const Proposer proposer_{c_, o_, catalogue_};
  Signals signals_{c_.store};
  std::string ended_by_;
  Clock::time_point next_claim_ = Clock::time_point::min();
  int waits_ = 0;
};

void check_several(const core::config::Reader& reader, const SearchOptions& o) {
  std::vector<std::string> able;
  for (const GeneratorRow& row : generators()) {
    if (!o.objective.several() || (row.several && row.name == o.generator)) return;
    if (row.several) able.push_back(row.name);
  }
  throw reader.error("generator", "one that takes several objectives: " + core::join(able));
}

}  // namespace

void read_options(core::config::Reader& reader, SearchOptions& o) {
  std::vector<std::string> names;
  for (const GeneratorRow& row : generators()) names.push_back(row.name);
  reader.choice("generator", o.generator, names, "how candidates are proposed");
  read_options(reader, o.objective);
  reader.integer("trials", o.trials, 1, 10'000'000, "full examinations; refused candidates and copies are free");
  reader.integer("max_proposals", o.max_proposals, 1, 100'000'000, "give up after so many proposals");
  reader.integer("window", o.window, 0, 4096, "trial k is proposed from trials below k - window (parallel runs)");
  reader.integer("batch", o.batch, 1, 4096, "so many are proposed together, from the same past; 1: one by one");
  reader.integer("seed", o.seed, uint64_t{0}, UINT64_MAX, "the same seed proposes the same candidates");
  using core::config::Decides;
  reader.number("max_hours", o.max_hours, 0, 1e6,
                "no proposals when so many hours have passed since the first; 0: go on", Decides::Nothing);
  reader.number("device_hours", o.device_hours, 0, 1e9,
                "no proposals when examinations took so many hours, all together; 0: go on", Decides::Nothing);
  reader.number("min_gain_per_hour", o.min_gain_per_hour, 0, 1e9,
                "no proposals when the objective is expected to gain less per hour of examination; 0: go on",
                Decides::Nothing);
  check_several(reader, o);
  if (o.max_proposals < o.trials) throw reader.error("max_proposals", "at least trials = " + std::to_string(o.trials));
}

std::vector<Trial> run_search(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch) {
  return Worker(context, options, watch).run();
}

std::vector<int64_t> replay_search(const SearchContext& context, const SearchOptions& options) {
  const Catalogue own_catalogue(context.space, context.gate);
  const Proposer proposer(context, options, context.catalogue != nullptr ? *context.catalogue : own_catalogue);
  const History history(context.space, context.store, context.rungs);
  std::vector<int64_t> different;
  for (const Trial& stored : history.trials()) {
    if (stored.from_outside()) continue;
    const Trial again = proposer.propose(stored.index, history.trials());
    const bool same = again.genotype == stored.genotype && again.rung == stored.rung && again.by == stored.by &&
                      again.reason == stored.reason && again.forecast == stored.forecast;
    if (!same) different.push_back(stored.index);
  }
  return different;
}

}  // namespace condenser::search
