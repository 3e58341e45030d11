#include "condenser/search/survey.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace condenser::search {
namespace {

// Rules that refuse the candidate; empty: it passes.
std::set<std::string> refusals_of(const std::vector<Verdict>& verdicts) {
  std::set<std::string> rules;
  for (const Verdict& verdict : verdicts)
    if (!verdict.passed) rules.insert(verdict.rule);
  return rules;
}

}  // namespace

double Survey::deviation() const { return drawn == 0 ? 0 : std::sqrt(share() * (1 - share()) / drawn); }

double quantile(const std::vector<double>& ascending, double q) {
  const double at = q * static_cast<double>(ascending.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, ascending.size() - 1);
  return ascending[low] + (at - static_cast<double>(low)) * (ascending[high] - ascending[low]);
}

Survey survey(const Space& space, const Gate& gate, int draws, core::Rng& rng) {
  Survey found;
  found.drawn = draws;
  for (const Metric& metric : metrics()) found.costs.push_back({&metric, {}, {}});
  for (int i = 0; i < draws; ++i) {
    const Genotype genotype = sample(space, rng);
    Candidate candidate;
    try {
      candidate = space.expand(genotype);
    } catch (const arch::SpecError&) {
      ++found.refused["expand"];
      continue;
    }
    const std::set<std::string> rules = refusals_of(gate.before_training(candidate));
    for (const std::string& rule : rules) ++found.refused[rule];
    found.passed += rules.empty();
    Findings known;
    gate.add_costs(candidate, known);
    for (Survey::Costs& costs : found.costs) {
      const auto value = known.metrics.find(costs.metric->name);
      if (value == known.metrics.end()) continue;
      costs.drawn.push_back(value->second);
      if (rules.empty()) costs.passed.push_back(value->second);
    }
  }
  std::erase_if(found.costs, [](const Survey::Costs& costs) { return costs.drawn.empty(); });
  for (Survey::Costs& costs : found.costs) {
    std::sort(costs.drawn.begin(), costs.drawn.end());
    std::sort(costs.passed.begin(), costs.passed.end());
  }
  return found;
}

}  // namespace condenser::search
