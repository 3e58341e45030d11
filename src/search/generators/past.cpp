#include "search/generators/past.hpp"

#include <algorithm>
#include <climits>
#include <map>

#include "search/pareto/front.hpp"

namespace condenser::search {

std::vector<const Trial*> examined_trials(const StudyView& past) {
  std::vector<const Trial*> trials;
  for (const Trial& trial : past.seen())
    if (trial.examined()) trials.push_back(&trial);
  return trials;
}

std::vector<const Trial*> best_first(std::vector<const Trial*> trials, const Objective& objective) {
  struct Group {
    std::vector<const Trial*> trials;
    std::vector<Point> points;
  };
  std::map<int64_t, Group> groups;  // by number of misses
  std::vector<const Trial*> ordered, without;
  for (const Trial* trial : trials) {
    auto values = trial->state == TrialState::Done ? objective.values(trial->findings) : std::nullopt;
    if (!values) {
      without.push_back(trial);
      continue;
    }
    Group& group = groups[std::ranges::count_if(trial->verdicts, [](const Verdict& v) { return !v.passed; })];
    group.trials.push_back(trial);
    group.points.push_back(std::move(*values));
  }
  for (const auto& entry : groups)
    for (const size_t i : best_first(entry.second.points)) ordered.push_back(entry.second.trials[i]);
  ordered.insert(ordered.end(), without.begin(), without.end());
  return ordered;
}

Known::Known(const Question& q) : q_(q) {
  for (const Trial& trial : q.past.seen())
    if (trial.examined()) examined_.push_back(trial.hash);
  std::sort(examined_.begin(), examined_.end());
  for (const Genotype& genotype : q.past.running) running_.push_back(q.catalogue.of(genotype)->fingerprint);
}

bool Known::has(const Genotype& genotype) const {
  const core::Fingerprint fingerprint = q_.catalogue.of(genotype)->fingerprint;
  return std::ranges::find(running_, fingerprint) != running_.end() ||
         std::binary_search(examined_.begin(), examined_.end(), q_.catalogue.identity(genotype));
}

}  // namespace condenser::search
