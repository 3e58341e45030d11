#pragma once
// What strategies without a model of networks read from a past: which trials were better, which networks are known.

#include <vector>

#include "condenser/search/generator.hpp"
#include "condenser/search/objective.hpp"
#include "search/features/catalogue.hpp"

namespace condenser::search {

// Networks that were examined, each once, in the order of their trials.
std::vector<const Trial*> examined_trials(const StudyView&);

// Best first: feasible ones by front and crowding (pareto/front.hpp; of one goal: by value), then those that were
// measured and miss something, fewest misses first, then those without values. Ties: as given.
std::vector<const Trial*> best_first(std::vector<const Trial*>, const Objective&);

// Networks that need not be proposed: examined ones and those that run.
class Known {
 public:
  explicit Known(const Question&);
  bool has(const Genotype&) const;

 private:
  const Question& q_;
  std::vector<core::Hash128> examined_;  // ascending
  std::vector<core::Fingerprint> running_;
};

// The first of at most `tries` draws that passes the gate and is not known; else the last that passes; else the last.
template <class Draw>
Genotype first_unknown(const Question& q, const Known& known, int tries, const Draw& draw) {
  std::optional<Genotype> passing, last;
  for (int i = 0; i < tries; ++i) {
    last = draw();
    if (!q.catalogue.of(*last)->passed) continue;
    if (!known.has(*last)) return *last;
    passing = last;
  }
  return passing ? *passing : *last;
}

}  // namespace condenser::search
