// Local search: walks from a network to the first better one that differs in one decision, in random order; where none
// is better, a new walk begins. The strongest simple baseline on tables of small spaces (White et al. 2021, arXiv
// 2005.02960). Keeps no state: the walk is read from the past.

#include <cmath>
#include <set>

#include "search/tables.hpp"

namespace condenser::search {
namespace {

class LocalGenerator final : public Generator {
 public:
  Proposal propose(const Question& q) const override {
    const Genotype* here = position(q.past);
    if (here == nullptr) return sample(q.space, q.rng);
    std::vector<Genotype> open = unseen_neighbours(q, *here);
    return open.empty() ? sample(q.space, q.rng) : open[q.rng.below(open.size())];
  }

 private:
  static int changes(const Genotype& a, const Genotype& b) {
    int count = 0;
    for (size_t d = 0; d < a.choice.size(); ++d) count += a.choice[d] != b.choice[d];
    return count;
  }

  // A proposal that differs in more than one decision from where the walk stood began a new walk.
  static const Genotype* position(const StudyView& past) {
    const Trial* here = nullptr;
    std::optional<double> value;
    for (size_t i = 0; i < past.size(); ++i) {
      const std::optional<double> found = merit(past[i], past.objective);
      const bool restarted = here == nullptr || changes(here->genotype, past[i].genotype) > 1;
      if (!restarted && !(found && (!value || *found > *value))) continue;
      here = &past[i];
      value = found;
    }
    return here == nullptr ? nullptr : &here->genotype;
  }

  static std::vector<Genotype> unseen_neighbours(const Question& q, const Genotype& here) {
    std::set<Genotype> seen(q.past.running.begin(), q.past.running.end());
    for (size_t i = 0; i < q.past.size(); ++i) seen.insert(q.past[i].genotype);
    std::vector<Genotype> open;
    for (size_t d = 0; d < here.choice.size(); ++d) {
      for (int option = 0; option < static_cast<int>(q.space.decisions()[d].options.size()); ++option) {
        Genotype changed = here;
        changed.choice[d] = option;
        if (option != here.choice[d] && legal(q.space, changed) && !seen.contains(changed))
          open.push_back(std::move(changed));
      }
    }
    return open;
  }
};

}  // namespace

std::unique_ptr<Generator> make_local_generator(core::config::Reader&) { return std::make_unique<LocalGenerator>(); }

}  // namespace condenser::search
