// Why a trial was refused, dropped or kept, in words.

#include <algorithm>

#include "condenser/core/table.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

std::string number_of(int64_t index) { return "trial " + std::to_string(index); }

std::string front_names(const Study& s, const Trial& trial) {
  std::vector<std::string> names;
  for (const search::Metric* cost : s.costs) {
    const auto& front = s.fronts.at(cost->name);
    if (std::find(front.begin(), front.end(), &trial) != front.end()) names.push_back(cost->title);
  }
  return names.empty() ? "all goals" : core::join(names);
}

std::string kept_text(const Study& s, const Trial& trial) {
  const int64_t place = s.place[s.at(trial)], better = s.dominated_by[s.at(trial)];
  const std::string order = "place " + std::to_string(place + 1) + " of " + std::to_string(s.ranked.size());
  if (&trial == s.best)
    return s.m.objective.several() ? "kept: the one in balance of what no other beats in all goals; " + order
                                   : "kept: the best that passes every rule";
  if (s.on_front.contains(trial.index)) return "kept: on the front of " + front_names(s, trial) + "; " + order;
  if (better >= 0) return "dropped: " + number_of(better) + " is as good or better and costs no more; " + order;
  return "dropped: " + order + " by the objective";
}

}  // namespace

std::string fate_text(const Study& s, const Trial& trial) {
  if (trial.state == TrialState::Refused) return "refused before examination: " + refusal_text(trial);
  if (trial.same_as >= 0) return "a copy: the same network as trial " + std::to_string(trial.same_as);
  if (trial.state == TrialState::Failed) return "failed: " + trial.error;
  if (trial.state == TrialState::Proposed) return "waits for a worker";
  if (trial.state == TrialState::Running) return "is being examined";
  if (!trial.feasible()) return "dropped after examination: " + refusal_text(trial);
  if (!trial.full()) {
    if (const int64_t next = s.next[s.at(trial)]; next >= 0) return "went on as " + number_of(next);
    return "dropped at rung " + std::to_string(trial.rung) + ": others went on";
  }
  if (!s.counts(trial)) return "dropped: no value of " + s.objective_title;
  return kept_text(s, trial);
}

}  // namespace condenser::report
