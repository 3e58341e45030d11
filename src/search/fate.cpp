// Words for what became of a trial.

#include "condenser/search/fate.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/trial_table.hpp"

namespace condenser::search {
namespace {

std::string number_of(const Trial& trial) { return "trial " + std::to_string(trial.index); }

std::string value_text(double value, const Metric* metric) {
  if (metric == nullptr) return core::number(value);
  return core::fixed(value, metric->digits) + (metric->unit.empty() ? "" : " " + metric->unit);
}

double cost_of(const Trial& trial, const std::string& name) {
  const auto found = trial.findings.metrics.find(name);
  return found == trial.findings.metrics.end() || std::isnan(found->second) ? INFINITY : found->second;
}

std::string place_text(const Fate& fate, const Objective& objective) {
  return "place " + core::thousands(fate.place) + " of " + core::thousands(fate.among) + " by " +
         objective.goals[0].text;
}

}  // namespace

std::string broken_text(const Trial& trial) {
  std::vector<std::string> broken;
  for (const Verdict& verdict : trial.verdicts)
    if (!verdict.passed) broken.push_back(core::printable(to_text(verdict)));
  return core::join(broken, ". ");
}

std::string worker_text(const std::string& worker) {
  if (!worker.starts_with(kOutside)) return core::printable(worker);
  return core::printable(worker.substr(sizeof kOutside - 1)) + " (from outside)";
}

std::string proposer_of(const Trial& trial) { return trial.by.empty() ? "the generator" : worker_text(trial.by); }

std::string text_of(const Forecast& f, const Goal& goal) {
  const Metric* metric = goal.metric();
  std::string text =
      value_text(f.value, metric) + " (" + value_text(f.low, metric) + " to " + value_text(f.high, metric) + ")";
  if (f.gain > 0) text += ", expected gain " + core::significant(f.gain, 2);
  return text;
}

Fates::Fates(const std::vector<Trial>& trials, Objective objective, std::string cost)
    : trials_(trials), objective_(std::move(objective)), cost_(std::move(cost)) {
  for (const Trial& trial : trials_) {
    last_rung_ = std::max(last_rung_, trial.rung);
    if (trial.same_as >= 0) continue;
    trial_of_.emplace(Network{trial.hash, trial.rung}, trial.index);
    if (trial.feasible() && rank_value(trial, objective_)) ranked_[trial.rung].push_back(&trial);
  }
  for (auto& [rung, list] : ranked_) {
    std::ranges::stable_sort(list, [&](const Trial* a, const Trial* b) {
      const double x = *rank_value(*a, objective_), y = *rank_value(*b, objective_);
      return x != y ? x > y : cost_of(*a, "params") < cost_of(*b, "params");
    });
    for (size_t i = 0; i < list.size(); ++i) place_[list[i]->index] = static_cast<int64_t>(i) + 1;
  }
  front_ = objective_.several() ? front(trials_, objective_) : pareto_front(trials_, objective_, cost_);
  for (const Trial* trial : front_) on_front_.insert(trial->index);
}

Fate Fates::of(const Trial& trial) const {
  if (trial.state == TrialState::Refused && trial.same_as < 0)
    return {.kind = "refused", .text = "refused before it was examined: " + broken_text(trial)};
  if (trial.same_as >= 0)
    return {
        .kind = "copy",
        .text = "a copy: the same network as trial " + std::to_string(trial.same_as) + ", whose findings are its own",
        .other = trial.same_as};
  switch (trial.state) {
    case TrialState::Failed: return {.kind = "failed", .text = "failed: " + core::printable(trial.error)};
    case TrialState::Proposed: return {.kind = "waits", .text = "waits for a worker"};
    case TrialState::Running: return {.kind = "running", .text = "being examined by " + worker_text(trial.worker)};
    default: return of_examined(trial);
  }
}

Fate Fates::of_examined(const Trial& trial) const {
  if (!passed(trial.verdicts))
    return {.kind = "infeasible", .text = "dropped after it was examined: " + broken_text(trial)};
  const auto place = place_.find(trial.index);
  if (place == place_.end())
    return {.kind = "unmeasured", .text = "dropped: its examination found no value of " + objective_.goals[0].text};
  const Fate fate{.place = place->second, .among = std::ssize(ranked_.at(trial.rung))};
  return trial.full() ? of_whole(trial, fate) : of_part(trial, fate);
}

Fate Fates::of_part(const Trial& trial, Fate fate) const {
  const std::string where = place_text(fate, objective_) + " at rung " + std::to_string(trial.rung) + " (" +
                            core::number(trial.fidelity) + " of the full examination)";
  if (const Trial* next = next_of(trial)) {
    fate.kind = "went on";
    fate.other = next->index;
    fate.text = "promoted: " + where + ", went on as " + number_of(*next);
    return fate;
  }
  const std::vector<const Trial*>& list = ranked_.at(trial.rung);
  std::vector<std::string> promoted;
  for (const Trial* other : list)
    if (next_of(*other) != nullptr) promoted.push_back(std::to_string(other->index));
  constexpr size_t kMostNames = 5;
  const size_t count = promoted.size();
  if (count > kMostNames) promoted.resize(kMostNames);
  fate.kind = "dropped";
  fate.text = "dropped: " + where + ", and not promoted; ";
  fate.text += count == 0 ? "so far none was"
                          : core::thousands(static_cast<int64_t>(count)) + " went on, the best of them trial" +
                                (promoted.size() > 1 ? "s " : " ") + core::join(promoted);
  return fate;
}

Fate Fates::of_whole(const Trial& trial, Fate fate) const {
  fate.kind = "kept";
  fate.text =
      "kept: " + (fate.place == 1 ? "the best of " + core::thousands(fate.among) + " by " + objective_.goals[0].text
                                  : place_text(fate, objective_));
  fate.on_front = on_front_.contains(trial.index);
  if (fate.on_front) {
    fate.text += ", on the front of " + front_text();
  } else if (const Trial* better = dominating(trial)) {
    fate.other = better->index;
    fate.text +=
        ", not on the front: " + number_of(*better) + " is as good or better (" + goals_text(*better, objective_) + ")";
    if (!objective_.several()) fate.text += " with " + text_of(*better, cost_);
  }
  return fate;
}

std::string Fates::front_text() const {
  return objective_.several() ? objective_.text() : objective_.text() + " and " + cost_;
}

// The same network at a higher rung.
const Trial* Fates::next_of(const Trial& trial) const {
  for (int rung = trial.rung + 1; rung <= last_rung_; ++rung) {
    const auto found = trial_of_.find({trial.hash, rung});
    if (found == trial_of_.end()) continue;
    return &*std::ranges::lower_bound(trials_, found->second, {}, &Trial::index);
  }
  return nullptr;
}

// Higher is better in each.
std::vector<double> Fates::qualities(const Trial& trial) const {
  if (objective_.several()) return objective_.values(trial.findings).value_or(std::vector<double>());
  return {*merit(trial, objective_), -cost_of(trial, cost_)};
}

// The best of the front that is worse in nothing.
const Trial* Fates::dominating(const Trial& trial) const {
  const std::vector<double> mine = qualities(trial);
  const auto no_worse = [&](const Trial* other) {
    const std::vector<double> theirs = qualities(*other);
    return theirs.size() == mine.size() && std::ranges::equal(theirs, mine, std::greater_equal<>());
  };
  const Trial* found = nullptr;
  for (const Trial* other : front_)
    if (no_worse(other) && (found == nullptr || *merit(*other, objective_) > *merit(*found, objective_))) found = other;
  return found;
}

}  // namespace condenser::search
