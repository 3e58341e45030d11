#include "search/engine/history.hpp"

#include <algorithm>

#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

bool has_hash(const Trial& trial) { return trial.hash != core::Hash128{}; }

[[noreturn]] void another_network(const Trial& trial, const std::string& stored) {
  throw core::Error("study: trial " + std::to_string(trial.index) + " was stored as " + stored +
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

[[noreturn]] void missing(int64_t index, int64_t found) {
  throw core::Error("study: trial " + std::to_string(index) + " is missing; found " + std::to_string(found) +
                    " in its place; start afresh");
}

}  // namespace

History::History(const Space& space, const Store& store, const std::vector<double>& rungs)
    : space_(space), store_(store), rungs_(rungs) {
  sync();
}

void History::sync(const std::function<void(const Trial&)>& on_finished) {
  Changes changes = store_.changes(revision_);
  revision_ = changes.revision;
  for (Trial& trial : changes.trials) {
    if (trial.index < next())
      trials_[static_cast<size_t>(trial.index)] = std::move(trial);
    else
      take(std::move(trial));
  }
  settle(on_finished);
}

void History::take(Trial trial) {
  if (trial.index != next()) missing(next(), trial.index);
  if (trial.rung < 0 || trial.rung >= std::ssize(rungs_) || rungs_[static_cast<size_t>(trial.rung)] != trial.fidelity)
    throw core::Error("study: trial " + std::to_string(trial.index) + " is of fidelity " +
                      core::number(trial.fidelity) + ", which is not a rung of this search; start afresh");
  check(space_, trial.genotype);
  const bool no_network = trial.state == TrialState::Failed && !has_hash(trial) && trial.same_as < 0;
  std::optional<Candidate> candidate;
  if (!no_network) candidate = space_.expand(trial.genotype);
  if (candidate && trial.same_as < 0) check_same(trial, *candidate);
  add(trial, candidate);
}

void History::add(const Trial& trial, const std::optional<Candidate>& candidate) {
  open_.push_back(trial.index);
  trials_.push_back(trial);
  if (!candidate) {
    spent_ += trial.in_budget() ? trial.fidelity : 0;
    return;
  }
  const core::Fingerprint print = fingerprint(*candidate);
  if (trial.in_budget()) spent_ += cost_of(print, trial.rung);
  first_with_.emplace(Key{print, trial.rung}, trial.index);
}

// A training goes on where its lower rung paused.
double History::cost_of(const core::Fingerprint& print, int rung) const {
  for (int below = rung - 1; below >= 0; --below)
    if (first_with(print, below) >= 0) return rungs_[static_cast<size_t>(rung)] - rungs_[static_cast<size_t>(below)];
  return rungs_[static_cast<size_t>(rung)];
}

void History::settle(const std::function<void(const Trial&)>& on_finished) {
  std::vector<int64_t> still;
  for (const int64_t index : open_) {
    Trial& trial = trials_[static_cast<size_t>(index)];
    if (trial.same_as >= 0) copy_findings(trials_[static_cast<size_t>(trial.same_as)], trial);
    if (!trial.finished()) {
      still.push_back(index);
      continue;
    }
    if (trial.in_budget()) {
      ++examined_;
      seconds_ += trial.seconds;
    }
    if (on_finished) on_finished(trial);
  }
  open_ = std::move(still);
  finished_below_ = open_.empty() ? next() : open_.front();
}

bool History::any_waits() const {
  return std::ranges::any_of(open_, [&](int64_t index) {
    const Trial& trial = trials_[static_cast<size_t>(index)];
    return trial.same_as < 0 && trial.state == TrialState::Proposed;
  });
}

int64_t History::first_with(const core::Fingerprint& fingerprint, int rung) const {
  const auto found = first_with_.find({fingerprint, rung});
  return found == first_with_.end() ? -1 : found->second;
}

}  // namespace condenser::search
