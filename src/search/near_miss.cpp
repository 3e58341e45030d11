// Near misses: what was refused, by how little at best.

#include "condenser/search/near_miss.hpp"

#include <algorithm>
#include <cmath>

namespace condenser::search {
namespace {

double metric_of(const Trial& trial, const std::string& name) {
  const auto found = trial.findings.metrics.find(name);
  return found == trial.findings.metrics.end() ? NAN : found->second;
}

const Bound* bound_of(const Gate& gate, const Verdict& verdict) {
  const auto found = std::ranges::find_if(
      gate.bounds(), [&](const Bound& b) { return b.rule == verdict.rule && b.limit_text == verdict.limit; });
  return found == gate.bounds().end() ? nullptr : &*found;
}

const Constraint* constraint_of(const Objective& objective, const Verdict& verdict) {
  const auto found = std::ranges::find_if(objective.constraints, [&](const Constraint& c) {
    return c.rule() == verdict.rule && c.limit_text() == verdict.limit;
  });
  return found == objective.constraints.end() ? nullptr : &*found;
}

// Lower is nearer: the value of a budget, what is missing of an accuracy or another measured metric, the number of
// violations of a structural rule.
double distance(const Trial& trial, const Verdict& verdict, const Bound* bound, const Constraint* constraint) {
  if (bound != nullptr) return metric_of(trial, bound->metric->name);
  if (constraint != nullptr) {
    const double value = metric_of(trial, constraint->metric->name);
    return std::isnan(value) ? INFINITY : constraint->at_least ? -value : value;
  }
  if (trial.state == TrialState::Done) return -metric_of(trial, "val_accuracy");
  return static_cast<double>(
      std::ranges::count_if(trial.verdicts, [&](const Verdict& v) { return !v.passed && v.rule == verdict.rule; }));
}

struct Nearest {
  NearMiss miss;
  double distance = INFINITY;
};

Nearest& entry_of(std::vector<Nearest>& list, const Verdict& verdict) {
  const auto same = [&](const Nearest& n) {
    return n.miss.rule == verdict.rule && n.miss.verdict.limit == verdict.limit;
  };
  const auto found = std::ranges::find_if(list, same);
  if (found != list.end()) return *found;
  return list.emplace_back(Nearest{.miss = {.rule = verdict.rule, .verdict = verdict}});
}

}  // namespace

std::vector<NearMiss> near_misses(const std::vector<Trial>& trials, const Gate& gate, const Objective& objective) {
  std::vector<Nearest> list;
  for (const Trial& trial : trials) {
    if (trial.same_as >= 0) continue;
    for (const Verdict& verdict : trial.verdicts) {
      if (verdict.passed) continue;
      Nearest& entry = entry_of(list, verdict);
      const Bound* bound = bound_of(gate, verdict);
      const Constraint* constraint = constraint_of(objective, verdict);
      const double here = distance(trial, verdict, bound, constraint);
      if (entry.miss.trial < 0 || here < entry.distance) {
        const int64_t refused = entry.miss.refused;
        const int64_t value = bound != nullptr && std::isfinite(here) ? static_cast<int64_t>(here) : 0;
        entry = {{verdict.rule, refused, trial.index, verdict, bound, constraint, value}, here};
      }
    }
    for (Nearest& entry : list) {
      entry.miss.refused += std::ranges::any_of(trial.verdicts, [&](const Verdict& v) {
        return !v.passed && v.rule == entry.miss.rule && v.limit == entry.miss.verdict.limit;
      });
    }
  }
  std::ranges::stable_sort(list, [](const Nearest& a, const Nearest& b) { return a.miss.refused > b.miss.refused; });
  std::vector<NearMiss> misses;
  for (Nearest& entry : list) misses.push_back(std::move(entry.miss));
  return misses;
}

}  // namespace condenser::search
