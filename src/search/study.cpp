// Views computed from stored trials: best, refusals, Pareto front. Where trials live is left to stores/.

#include "condenser/search/study.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "search/pareto/front.hpp"

namespace condenser::search {
namespace {

double metric(const Trial& trial, const std::string& name, double absent) {
  const auto it = trial.findings.metrics.find(name);
  return it == trial.findings.metrics.end() || std::isnan(it->second) ? absent : it->second;
}

}  // namespace

const char* to_string(TrialState state) {
  switch (state) {
    case TrialState::Done: return "done";
    case TrialState::Refused: return "refused";
    case TrialState::Failed: return "failed";
    case TrialState::Proposed: return "proposed";
    case TrialState::Running: return "running";
  }
  return "?";
}

void resolve_copies(std::vector<Trial>& trials) {
  for (Trial& copy : trials) {
    if (copy.same_as < 0) continue;
    const auto first = std::ranges::lower_bound(trials, copy.same_as, {}, &Trial::index);
    if (copy.same_as >= copy.index || first == trials.end() || first->index != copy.same_as)
      throw core::Error("study: trial " + std::to_string(copy.index) + " is a copy of trial " +
                        std::to_string(copy.same_as) + ", which does not come before it; start afresh");
    copy_findings(*first, copy);
  }
}

void copy_findings(const Trial& first, Trial& copy) {
  copy.state = first.finished() ? first.state : TrialState::Proposed;
  copy.hash = first.hash;
  copy.verdicts = first.verdicts;
  copy.findings = first.findings;
  copy.error = first.error;
}

size_t StudyView::size() const {
  if (trials == nullptr || limit <= 0) return 0;
  return std::min(static_cast<size_t>(limit), trials->size());
}

std::optional<double> rank_value(const Trial& trial, const Objective& objective) {
  return objective.value(trial.findings);  // a diverged training has no rank
}

std::optional<double> merit(const Trial& trial, const Objective& objective) {
  return trial.feasible() && trial.full() ? rank_value(trial, objective) : std::nullopt;
}

std::vector<const Trial*> front(std::span<const Trial> trials, const Objective& objective) {
  struct Member {
    const Trial* trial;
    Point values;
  };
  std::vector<Member> members;
  for (const Trial& trial : trials) {
    auto values = merit(trial, objective) && trial.same_as < 0 ? objective.values(trial.findings) : std::nullopt;
    if (!values) continue;
    const auto beats = [&](const Member& m) { return dominates(m.values, *values); };
    if (std::ranges::any_of(members, beats)) continue;
    std::erase_if(members, [&](const Member& m) { return dominates(*values, m.values); });
    members.push_back({&trial, std::move(*values)});
  }
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.values > b.values; });
  std::vector<const Trial*> found;
  for (const Member& member : members) found.push_back(member.trial);
  return found;
}

namespace {

const Trial* balanced_of(std::span<const Trial> trials, const Objective& objective) {
  std::vector<const Trial*> members = front(trials, objective);
  std::stable_sort(members.begin(), members.end(), [](const Trial* a, const Trial* b) {
    const double x = metric(*a, "params", INFINITY), y = metric(*b, "params", INFINITY);
    return x != y ? x < y : a->index < b->index;
  });
  std::vector<Point> points;
  for (const Trial* member : members) points.push_back(*objective.values(member->findings));
  return members.empty() ? nullptr : members[balanced(points)];
}

}  // namespace

const Trial* best(std::span<const Trial> trials, const Objective& objective) {
  if (objective.several()) return balanced_of(trials, objective);
  const Trial* found = nullptr;
  double found_value = 0;
  for (const Trial& trial : trials) {
    const std::optional<double> value = merit(trial, objective);
    if (!value) continue;
    const bool better =
        found == nullptr || *value > found_value ||
        (*value == found_value && metric(trial, "params", INFINITY) < metric(*found, "params", INFINITY));
    if (better) {
      found = &trial;
      found_value = *value;
    }
  }
  return found;
}

std::map<std::string, int64_t> refusals_by_rule(const std::vector<Trial>& trials) {
  std::map<std::string, int64_t> count;
  for (const Trial& trial : trials) {
    if (trial.state != TrialState::Refused) continue;
    std::set<std::string> broken;
    for (const Verdict& verdict : trial.verdicts) {
      if (!verdict.passed) broken.insert(verdict.rule);
    }
    for (const std::string& rule : broken) ++count[rule];
  }
  return count;
}

std::vector<const Trial*> pareto_front(const std::vector<Trial>& trials, const Objective& objective,
                                       const std::string& cost_metric) {
  struct Point {
    double cost, value;
    const Trial* trial;
  };
  std::vector<Point> points;
  for (const Trial& trial : trials) {
    const std::optional<double> value = merit(trial, objective);
    const double cost = metric(trial, cost_metric, std::nan(""));
    if (value && !std::isnan(cost) && trial.same_as < 0) points.push_back({cost, *value, &trial});
  }
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.value > b.value;
  });
  std::vector<const Trial*> front;
  double cost = 0, value = 0;
  for (const Point& p : points) {
    const bool equal = !front.empty() && p.cost == cost && p.value == value;
    if (front.empty() || equal || p.value > value) {
      front.push_back(p.trial);
      cost = p.cost;
      value = p.value;
    }
  }
  return front;
}

}  // namespace condenser::search
