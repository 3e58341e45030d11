#pragma once
// What strategies without a model of networks read from a past: which trials were better, which networks are known.

#include <vector>

#include "condenser/search/generator.hpp"
#include "condenser/search/objective.hpp"
#include "search/features/catalogue.hpp"

namespace condenser::search {

// Networks that were examined, in the order of their first examinations; each with its trial of the highest rung.
std::vector<const Trial*> examined_networks(const StudyView&);

// The first of `worthy` (best first) that can go on at the next rung; none where all are done or at it.
std::optional<Proposal> promotion(const Question&, const std::vector<const Trial*>& worthy);

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

// The first of some draws, which are proposals, that passes the gate and is not known; else the last that passes; else
// the last.
template <class Draw>
Proposal first_unknown(const Question& q, const Known& known, const Draw& draw) {
  constexpr int kTries = 100;
  Proposal passing, last;
  for (int i = 0; i < kTries; ++i) {
    last = draw();
    if (!q.catalogue.of(last.genotype)->passed) continue;
    if (!known.has(last.genotype)) return last;
    passing = last;
  }
  return passing.genotype.choice.empty() ? last : passing;
}

// Drawn uniformly, before anything is known.
Proposal uniform_start(const Question&, const Known&);

}  // namespace condenser::search
