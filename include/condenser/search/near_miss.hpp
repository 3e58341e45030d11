#pragma once
// How near the refused candidates of a study came to what the gate asks: what a search that found nothing has to say.

#include <vector>

#include "condenser/search/study.hpp"

namespace condenser::search {

struct NearMiss {
  std::string rule;
  int64_t refused = 0;                     // candidates that break it
  int64_t trial = -1;                      // the one among them that breaks it least; ties: the earliest
  Verdict verdict;                         // its verdict: node, value, limit
  const Bound* bound = nullptr;            // of a budget; null: a structural rule, an accuracy, a rule handed in
  const Constraint* constraint = nullptr;  // of the objective, on what is measured
  int64_t value = 0;                       // of the bound's metric
};

// One entry for each rule that some candidate broke, those that refused most first; a rule with several limits (the
// comparator) has one for each. Copies of earlier trials are not counted again. Pointers are into the gate and the
// objective.
std::vector<NearMiss> near_misses(const std::vector<Trial>&, const Gate&, const Objective&);

}  // namespace condenser::search
