// A desk: what a worker and a person asking share. Everything that decides a trial is a function of the seed, its index
// and earlier trials.

#include "search/engine/desk.hpp"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "condenser/core/clock.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

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

}  // namespace

void rethrow_as_trouble(int64_t trial) {
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

void Signals::look() {
  if (Clock::now() < due_) return;
  due_ = Clock::now() + std::chrono::seconds(1);
  for (const Event& event : store_.events(seen_)) {
    seen_ = event.id;
    if (event.kind == "started") started_ = event.time;
    if (event.kind == "stop") stopped_ = true;
    if (event.kind == "go on") stopped_ = false;
    if (event.kind == "budget") budgets_.insert(event.text);
  }
}

Desk::Desk(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch)
    : c_(context), o_(options), w_(watch) {
  check_objective(c_.inquisitor, o_.objective);
  check_rungs(c_.rungs);
}

void Desk::sync() {
  history_.sync([&](const Trial& trial) {
    if (w_.on_trial) w_.on_trial(trial, history_.examined());
  });
}

void Desk::stop_at_boundary() const {
  if (!core::stop_requested()) return;
  throw core::Stopped("search: stopped after " + std::to_string(history_.next()) +
                      " trials, all stored; the same command goes on from there");
}

bool Desk::trials_spent() const { return o_.trials - history_.spent() <= kNothingSpent; }

std::string Desk::why_no_more() {
  if (signals_.stopped()) return "the study was told to stop; condenser study resume lets it go on";
  if (trials_spent())
    return "the budget is spent: search.trials = " + core::thousands(o_.trials) + " full examinations";
  if (history_.next() >= o_.max_proposals)
    return "so many proposals were made as search.max_proposals = " + core::thousands(o_.max_proposals) + " allows";
  const std::string over = hours_over();
  return over.empty() ? gain_too_small() : over;
}

std::string Desk::hours_over() {
  if (o_.device_hours > 0 && history_.seconds() >= o_.device_hours * kSecondsPerHour)
    return end("device_hours", core::number(o_.device_hours) + " hours of examinations are spent");
  if (o_.max_hours <= 0 || !signals_.started()) return "";
  if (core::unix_seconds() - *signals_.started() < o_.max_hours * kSecondsPerHour) return "";
  return end("max_hours", core::number(o_.max_hours) + " hours have passed since the first proposal");
}

// The latest proposals, together, against the time that a full examination takes: that is what forecasts are of.
std::string Desk::gain_too_small() {
  constexpr int64_t kLatest = 4;
  if (o_.min_gain_per_hour <= 0 || history_.examined() < 2 * kLatest) return "";
  double gain = 0;
  int64_t forecasts = 0;
  for (auto t = history_.trials().rbegin(); t != history_.trials().rend() && forecasts < kLatest; ++t) {
    if (!t->forecast || !t->in_budget()) continue;
    gain += t->forecast->gain;
    ++forecasts;
  }
  if (forecasts < kLatest) return "";
  const double hours = history_.seconds() / kSecondsPerHour / std::max(history_.spent(), kNothingSpent);
  const double per_hour = gain / kLatest / std::max(hours, 1e-12);
  if (per_hour >= o_.min_gain_per_hour) return "";
  return end("min_gain_per_hour", "the expected gain of " + core::number(per_hour) + " per hour is below " +
                                      core::number(o_.min_gain_per_hour));
}

std::string Desk::end(const std::string& what, const std::string& words) {
  if (!ended_by_.empty()) return words;
  ended_by_ = what;
  const std::string text = what + ": " + words;
  if (!signals_.told(text)) c_.store.log({.kind = "budget", .worker = c_.worker, .text = text});
  core::log::info("search: no further proposals: " + words);
  return words;
}

std::optional<Desk::Held> Desk::take() {
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

std::optional<Desk::Held> Desk::take(const Proposal& own) {
  const auto turn = c_.store.turn([] { return core::stop_requested(); });
  stop_at_boundary();
  sync();
  if (!turn || !wants_more()) return std::nullopt;
  return admit(trial_of(own, history_.next(), c_));
}

// What is leased to others is asked for now and then only.
std::optional<Trial> Desk::claim() {
  if (signals_.stopped() || history_.all_finished()) return std::nullopt;
  if (!history_.any_waits() && Clock::now() < next_claim_) return std::nullopt;
  next_claim_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(c_.lease / 4));
  return c_.store.claim(c_.worker, c_.lease);
}

bool Desk::may_propose() {
  return wants_more() && history_.all_finished_below(proposer_.first_hidden(history_.next()));
}

Desk::Held Desk::propose() {
  const int64_t index = history_.next();
  try {
    return admit(proposer_.propose(index, history_.trials()));
  } catch (...) {
    rethrow_as_trouble(index);
  }
}

Desk::Held Desk::admit(Trial trial) {
  Held held;
  held.trial = std::move(trial);
  held.candidate = judge_.admit(held.trial, history_);
  if (held.trial.state == TrialState::Proposed && held.trial.same_as < 0) {
    held.trial.state = TrialState::Running;
    held.trial.worker = c_.worker;
    held.trial.tries = 1;
  }
  append(held);
  return held;
}

void Desk::append(Held& held) {
  const int64_t index = held.trial.index;
  if (index == 0 && !signals_.started()) c_.store.log({.kind = "started", .worker = c_.worker});
  if (!c_.store.append(held.trial, c_.lease)) {
    // A server that was away may have given the turn to two. The other's proposal is the same.
    if (!shared())
      throw core::Error("study: trial " + std::to_string(index) +
                        " is stored already; does another process write to this study?");
    sync();
    held = {history_.trials()[static_cast<size_t>(index)], std::nullopt, true};
    return;
  }
  core::reached("search:trial", index);
  history_.add(held.trial, held.candidate);
  if (held.trial.finished() || held.trial.same_as >= 0) sync();
}

}  // namespace condenser::search
