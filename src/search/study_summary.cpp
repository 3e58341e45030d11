#include "condenser/search/study_summary.hpp"

#include <algorithm>

namespace condenser::search {
namespace {

int64_t& kind_of(StudySummary& s, const Trial& trial) {
  if (trial.same_as >= 0) return s.copies;
  switch (trial.state) {
    case TrialState::Refused: return s.refused;
    case TrialState::Failed: return s.failed;
    case TrialState::Proposed: return s.waiting;
    case TrialState::Running: return s.running;
    case TrialState::Done: break;
  }
  return trial.feasible() ? s.feasible : s.infeasible;
}

// The share of a full examination that each network has had at most: a training goes on where its lower rung paused.
using Shares = std::map<core::Hash128, double>;

void add_cost(StudySummary& s, Shares& shares, const Trial& trial) {
  const bool has_network = trial.hash != core::Hash128{};
  double& before = shares[trial.hash];
  s.spent += has_network ? std::max(0.0, trial.fidelity - before) : trial.fidelity;
  if (has_network) before = std::max(before, trial.fidelity);
  if (trial.finished()) s.seconds += trial.seconds;
}

void add_rung(StudySummary& s, std::map<std::pair<core::Hash128, int>, bool>& seen, const Trial& trial) {
  StudySummary::Rung& rung = s.rungs[trial.rung];
  rung.fidelity = trial.fidelity;
  ++(trial.finished() ? rung.examined : rung.open);
  seen[{trial.hash, trial.rung}] = true;
  for (int below = trial.rung - 1; below >= 0; --below) {
    if (!seen.contains({trial.hash, below})) continue;
    ++s.rungs[below].went_on;
    break;
  }
}

void add_worker(StudySummary& s, const Trial& trial) {
  if (trial.worker.empty() || trial.state == TrialState::Proposed) return;  // those have been given back
  StudySummary::Worker& worker = s.workers[trial.worker];
  if (trial.state == TrialState::Running) worker.running.push_back(trial.index);
  if (!trial.finished()) return;
  ++worker.finished;
  worker.seconds += trial.seconds;
}

}  // namespace

StudySummary summary_of(const std::vector<Trial>& trials, const std::vector<Event>& events) {
  StudySummary s;
  s.trials = std::ssize(trials);
  Shares shares;
  std::map<std::pair<core::Hash128, int>, bool> seen;
  for (const Trial& trial : trials) {
    ++kind_of(s, trial);
    s.outside += trial.from_outside();
    s.imported += trial.imported();
    ++s.proposers[trial.by];
    if (trial.examined()) add_rung(s, seen, trial);
    if (!trial.in_budget()) continue;
    add_cost(s, shares, trial);
    add_worker(s, trial);
  }
  for (const Event& event : events) {
    if (event.kind == "stop") s.stopped = true;
    if (event.kind == "go on") s.stopped = false;
    if (event.kind == "budget") s.budget = event.text;
    if (event.kind == "lost" && !event.worker.empty()) ++s.workers[event.worker].lost;
  }
  return s;
}

}  // namespace condenser::search
