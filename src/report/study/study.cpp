// Trials, digested for the sections. Every reading of a trial's fields that needs a decision is here.

#include "report/study/study.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/table.hpp"

namespace condenser::report {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMostReasons = 2;  // of a refusal, in one line

std::vector<double> ladder(const std::vector<Trial>& trials) {
  std::vector<double> rungs;
  for (const Trial& trial : trials)
    if (trial.rung >= 0) {
      rungs.resize(std::max(rungs.size(), static_cast<size_t>(trial.rung) + 1), 0);
      rungs[static_cast<size_t>(trial.rung)] = trial.fidelity;
    }
  if (rungs.empty() || rungs.back() < 1) rungs.push_back(1);  // nothing has come so far yet
  return rungs;
}

std::vector<const search::Metric*> known_costs(const std::vector<Trial>& trials) {
  std::vector<const search::Metric*> list;
  for (const search::Metric& metric : search::metrics())
    if (metric.of_design != nullptr &&
        std::any_of(trials.begin(), trials.end(), [&](const Trial& t) { return metric_of(t, metric.name) > 0; }))
      list.push_back(&metric);
  return list;
}

// In everything that counts, higher is better: the objective and the negated costs.
using Qualities = std::vector<double>;

bool dominates(const Qualities& a, const Qualities& b) {
  for (size_t k = 0; k < a.size(); ++k)
    if (a[k] < b[k]) return false;
  return a != b;
}

// Only what comes before a trial can dominate it, and of that what is not dominated itself is enough.
void find_dominating(Study& s) {
  std::vector<std::pair<Qualities, int64_t>> front;
  for (const Trial* trial : s.ranked) {
    Qualities q{s.rank[s.at(*trial)]};
    for (const search::Metric* cost : s.costs) {
      const double value = metric_of(*trial, cost->name);
      q.push_back(std::isnan(value) ? -std::numeric_limits<double>::infinity() : -value);
    }
    const auto found = std::find_if(front.begin(), front.end(), [&](const auto& f) { return dominates(f.first, q); });
    if (found == front.end())
      front.emplace_back(std::move(q), trial->index);
    else
      s.dominated_by[s.at(*trial)] = found->second;
  }
}

double size_of(const Trial& trial) {
  const double params = metric_of(trial, "params");
  return std::isnan(params) ? std::numeric_limits<double>::infinity() : params;
}

// Cheapest first; of equals the best ranked.
std::vector<const Trial*> front_of(const Study& s, const search::Metric& cost) {
  std::vector<const Trial*> all, front;
  for (const Trial* trial : s.ranked)
    if (std::isfinite(metric_of(*trial, cost.name))) all.push_back(trial);
  std::stable_sort(all.begin(), all.end(),
                   [&](const Trial* a, const Trial* b) { return metric_of(*a, cost.name) < metric_of(*b, cost.name); });
  for (const Trial* trial : all)
    if (front.empty() || s.rank[s.at(*trial)] > s.rank[s.at(*front.back())]) front.push_back(trial);
  return front;
}

void find_next_rungs(Study& s) {
  if (s.rungs.size() < 2) return;
  std::map<std::pair<int, search::Genotype>, size_t> latest;
  for (size_t k = 0; k < s.trials.size(); ++k) {
    const Trial& trial = s.trials[k];
    const auto lower = latest.find({trial.rung - 1, trial.genotype});
    if (lower != latest.end() && s.next[lower->second] < 0) s.next[lower->second] = trial.index;
    latest[{trial.rung, trial.genotype}] = k;
  }
}

}  // namespace

double metric_of(const Trial& trial, const std::string& name) {
  const auto found = trial.findings.metrics.find(name);
  return found == trial.findings.metrics.end() || !std::isfinite(found->second) ? kNone : found->second;
}

std::string number_text(double value, const search::Metric* metric) {
  if (metric == nullptr) return core::significant(value, 5);
  return metric->digits == 0 ? core::thousands(std::llround(value)) : core::fixed(value, metric->digits);
}

std::string title_of(const search::Metric& metric) {
  const bool said = metric.unit.empty() || metric.title.find(metric.unit) != std::string::npos || metric.digits == 0;
  return said ? metric.title : metric.title + ", " + metric.unit;
}

std::string state_text(const Trial& trial) {
  if (trial.state == TrialState::Refused) return "refused";
  if (trial.same_as >= 0) return "copy";
  if (trial.state == TrialState::Failed) return "failed";
  if (trial.state == TrialState::Proposed) return "waiting";
  if (trial.state == TrialState::Running) return "running";
  return trial.feasible() ? "feasible" : "dropped";
}

std::string refusal_text(const Trial& trial) {
  std::string text;
  size_t broken = 0;
  for (const search::Verdict& v : trial.verdicts)
    if (!v.passed && ++broken <= kMostReasons) text += (text.empty() ? "" : ". ") + search::to_text(v);
  if (broken > kMostReasons) text += ". And " + std::to_string(broken - kMostReasons) + " more";
  return text;
}

Study::Study(const StudyMaterial& material)
    : m(material),
      trials(m.trials),
      rungs(ladder(trials)),
      goal(m.objective.goals.front()),
      objective(goal.metric()),
      costs(known_costs(trials)) {
  objective_title = objective != nullptr ? title_of(*objective) : goal.text;
  double passed = 0;
  for (const Trial& trial : trials) {
    const bool known = trial.full() && trial.state == TrialState::Done;
    rank.push_back(known ? goal.value(trial.findings).value_or(kNone) : kNone);
    value.push_back(known ? goal.number(trial.findings).value_or(kNone) : kNone);
    if (trial.examined() && trial.finished()) passed += trial.seconds;
    seconds.push_back(passed);
    if (trial.feasible() && counts(trial)) ranked.push_back(&trial);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&](const Trial* a, const Trial* b) {
    if (rank[at(*a)] != rank[at(*b)]) return rank[at(*a)] > rank[at(*b)];
    return size_of(*a) < size_of(*b);
  });
  best = search::best(trials, m.objective);
  if (best != nullptr && !counts(*best)) best = nullptr;
  place.assign(trials.size(), -1);
  dominated_by = next = place;
  for (size_t k = 0; k < ranked.size(); ++k) place[at(*ranked[k])] = static_cast<int64_t>(k);
  find_dominating(*this);
  find_next_rungs(*this);
  for (const search::Metric* cost : costs) {
    fronts[cost->name] = front_of(*this, *cost);
    for (const Trial* trial : fronts[cost->name]) on_front.insert(trial->index);
  }
  if (m.objective.several())
    for (const Trial* trial : search::front(trials, m.objective)) on_front.insert(trial->index);
}

bool Study::counts(const Trial& trial) const { return trial.same_as < 0 && std::isfinite(rank[at(trial)]); }

std::string Study::value_text(double v) const {
  if (!std::isfinite(v)) return "-";
  const std::string number = number_text(v, objective);
  return objective == nullptr || objective->unit.empty() ? number : number + " " + objective->unit;
}

size_t Study::periods() const { return std::clamp<size_t>(trials.size() / 2, 1, 10); }

}  // namespace condenser::report
