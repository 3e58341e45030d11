// Asks the probes, cheapest first, and condenses past trials into advice. What a probe measures is the probe's.

#include "condenser/search/inquisitor.hpp"

#include <algorithm>

namespace condenser::search {

Inquisitor::Inquisitor(std::vector<std::unique_ptr<Probe>> probes) : probes_(std::move(probes)) {
  std::stable_sort(probes_.begin(), probes_.end(),
                   [](const auto& a, const auto& b) { return a->cost_seconds() < b->cost_seconds(); });
}

Findings Inquisitor::examine(const Candidate& candidate, const ProbeContext& context) const {
  Findings findings;
  for (const auto& probe : probes_) probe->ask(candidate, context, findings);
  return findings;
}

Advice Inquisitor::advise(const Space& space, const StudyView& past) const {
  const std::vector<Decision>& decisions = space.decisions();
  std::vector<std::vector<double>> sum, count;
  for (const Decision& d : decisions) {
    sum.emplace_back(d.options.size(), 0.0);
    count.emplace_back(d.options.size(), 0.0);
  }
  double total = 0, trials = 0;
  for (size_t t = 0; t < past.size(); ++t) {
    const std::optional<double> objective = objective_value(past[t], past.objective);
    if (!objective) continue;
    check(space, past[t].genotype);
    total += *objective;
    trials += 1;
    for (size_t i = 0; i < decisions.size(); ++i) {
      const auto option = static_cast<size_t>(past[t].genotype.choice[i]);
      sum[i][option] += *objective;
      count[i][option] += 1;
    }
  }
  Advice advice;
  if (trials == 0) return advice;
  for (size_t i = 0; i < decisions.size(); ++i) {
    std::vector<double>& preference = advice.preference[decisions[i].name];
    for (size_t o = 0; o < sum[i].size(); ++o) {
      // An option never tried is neither preferred nor avoided.
      preference.push_back(count[i][o] > 0 ? sum[i][o] / count[i][o] - total / trials : 0.0);
    }
  }
  return advice;
}

double Inquisitor::cost_seconds() const {
  double sum = 0;
  for (const auto& probe : probes_) sum += probe->cost_seconds();
  return sum;
}

}  // namespace condenser::search
