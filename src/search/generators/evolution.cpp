// Regularized evolution (Real et al. 2019, arXiv 1802.01548): the population is the youngest P examined networks, a
// tournament of S picks a parent, its mutation is the child. Keeps no state: the population is read from the past.

#include "search/tables.hpp"

namespace condenser::search {
namespace {

struct EvolutionOptions {
  int population = 8;
  int tournament = 3;
  double crossover = 0;
};

void read_options(core::config::Reader& reader, EvolutionOptions& o) {
  reader.integer("population", o.population, 1, 100000, "youngest examined trials that may become parents");
  reader.integer("tournament", o.tournament, 1, 100000, "trials drawn, with replacement, to pick a parent");
  reader.number("crossover", o.crossover, 0, 1, "probability of crossing two parents before the mutation");
}

class EvolutionGenerator final : public Generator {
 public:
  explicit EvolutionGenerator(const EvolutionOptions& options) : options_(options) {}

  Proposal propose(const Question& q) const override {
    const StudyView& past = q.past;
    core::Rng& rng = q.rng;
    const std::vector<const Trial*> living = population(past);
    if (living.size() < static_cast<size_t>(options_.population)) return sample(q.space, rng);
    Genotype child = parent(living, past.objective, rng).genotype;
    if (options_.crossover > 0 && rng.uniform() < options_.crossover) {
      child = crossover(q.space, child, parent(living, past.objective, rng).genotype, rng);
    }
    return mutate(q.space, child, rng);
  }

 private:
  // Ageing: the oldest leave, however good. Refused networks and copies never were examined.
  std::vector<const Trial*> population(const StudyView& past) const {
    std::vector<const Trial*> living;
    for (size_t i = past.size(); i-- > 0 && living.size() < static_cast<size_t>(options_.population);) {
      if (past[i].examined()) living.push_back(&past[i]);
    }
    return living;
  }

  // The first drawn wins ties; a trial without a value (failed, infeasible) loses to any with one.
  const Trial& parent(const std::vector<const Trial*>& living, const Objective& objective, core::Rng& rng) const {
    const Trial* winner = nullptr;
    std::optional<double> winner_value;
    for (int i = 0; i < options_.tournament; ++i) {
      const Trial* drawn = living[rng.below(living.size())];
      const std::optional<double> value = merit(*drawn, objective);
      if (winner == nullptr || (value && (!winner_value || *value > *winner_value))) {
        winner = drawn;
        winner_value = value;
      }
    }
    return *winner;
  }

  EvolutionOptions options_;
};

}  // namespace

std::unique_ptr<Generator> make_evolution_generator(core::config::Reader& reader) {
  EvolutionOptions options;
  read_options(reader, options);
  return std::make_unique<EvolutionGenerator>(options);
}

}  // namespace condenser::search
