#pragma once
// Views of a study that are computed from its trials.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "condenser/search/objective.hpp"
#include "condenser/search/store.hpp"

namespace condenser::search {

struct Lesson;

// What a generator may see: trials with index < limit.
struct StudyView {
  const std::vector<Trial>* trials = nullptr;  // contiguous from index 0
  int64_t limit = 0;
  Objective objective;              // what is made as good as possible, under which constraints
  std::vector<Genotype> running;    // proposed, with index >= limit, and not yet known
  std::vector<double> rungs = {1};  // fidelities of the ladder, ascending; the last is 1
  const Lesson* lesson = nullptr;   // of earlier studies (lesson.hpp)
  size_t size() const;
  std::span<const Trial> seen() const { return {size() == 0 ? nullptr : trials->data(), size()}; }
  const Trial& operator[](size_t i) const { return (*trials)[i]; }
};

// The (first) goal with higher as better, whichever way it counts; none unless it has a value.
std::optional<double> rank_value(const Trial&, const Objective&);
// The same of feasible trials of full fidelity; none for others.
std::optional<double> merit(const Trial&, const Objective&);
// Feasible trials of full fidelity that no other dominates in the goals, best of the first goal first; a network found
// again counts once.
std::vector<const Trial*> front(std::span<const Trial>, const Objective&);
// Highest merit among feasible trials; with several goals the balanced one of the front (nearest to the best values of
// all goals, each counted in shares of its range over the front). Ties: fewer parameters (metric "params"), then lower
// index. nullptr: none.
const Trial* best(std::span<const Trial>, const Objective&);
// Number of refusals by rule (each trial counts once for each rule it breaks).
std::map<std::string, int64_t> refusals_by_rule(const std::vector<Trial>&);
// Feasible trials not dominated in (merit up, cost metric down), by cost; a network found again counts once.
std::vector<const Trial*> pareto_front(const std::vector<Trial>&, const Objective&, const std::string& cost_metric);

}  // namespace condenser::search
