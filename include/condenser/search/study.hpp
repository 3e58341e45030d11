#pragma once
// Views of a study that are computed from its trials.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "condenser/search/store.hpp"

namespace condenser::search {

// What a generator may see: trials with index < limit.
struct StudyView {
  const std::vector<Trial>* trials = nullptr;  // contiguous from index 0
  int64_t limit = 0;
  std::string objective;            // metric to make as good as possible
  std::vector<Genotype> running;    // proposed, with index >= limit, and not yet known
  std::vector<double> rungs = {1};  // fidelities of the ladder, ascending; the last is 1
  size_t size() const;
  std::span<const Trial> seen() const { return {size() == 0 ? nullptr : trials->data(), size()}; }
  const Trial& operator[](size_t i) const { return (*trials)[i]; }
};

// The objective with higher as better, whichever way the metric counts; none unless present and a number.
std::optional<double> rank_value(const Trial&, const std::string& objective);
// The same of feasible trials of full fidelity; none for others.
std::optional<double> merit(const Trial&, const std::string& objective);
// Highest merit among feasible trials; ties: fewer parameters (metric "params"), then lower index. nullptr: none.
const Trial* best(std::span<const Trial>, const std::string& objective);
// Number of refusals by rule (each trial counts once for each rule it breaks).
std::map<std::string, int64_t> refusals_by_rule(const std::vector<Trial>&);
// Feasible trials not dominated in (merit up, cost metric down), by cost; a network found again counts once.
std::vector<const Trial*> pareto_front(const std::vector<Trial>&, const std::string& objective,
                                       const std::string& cost_metric);

}  // namespace condenser::search
