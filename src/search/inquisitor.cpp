// Asks the probes, cheapest first. What a probe measures is the probe's.

#include "condenser/search/inquisitor.hpp"

#include <algorithm>

#include "search/derived.hpp"

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

bool Inquisitor::finds(const std::string& name) const {
  const Metric* metric = find_metric(name);
  if (metric != nullptr && metric->of_design != nullptr) return true;
  if (metric != nullptr && source_of(*metric) != nullptr) return finds(source_of(*metric)->name);
  return std::ranges::any_of(probes_, [&](const auto& probe) {
    const std::vector<std::string> found = probe->finds();
    return std::ranges::find(found, name) != found.end();
  });
}

}  // namespace condenser::search
