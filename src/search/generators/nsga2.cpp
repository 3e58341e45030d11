// NSGA-II (Deb et al. 2002, doi 10.1109/4235.996017): non-dominated sorting, crowding, elitism; networks that miss a
// constraint come behind all that miss none. The baseline for several objectives; with one it is a genetic algorithm
// that keeps its best. Keeps no state: the generations are read from the past.

#include <algorithm>

#include "search/generators/past.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

struct Nsga2Options {
  int population = 16;
  double crossover = 0.9;
  double changes = 1;
};

void read_options(core::config::Reader& reader, Nsga2Options& o) {
  reader.integer("population", o.population, 2, 100000, "networks of a generation, and of those that survive it");
  reader.number("crossover", o.crossover, 0, 1, "probability of crossing two parents");
  reader.number("changes", o.changes, 0, 1000, "decisions of a child that are drawn anew, on average");
}

class Nsga2Generator final : public Generator {
 public:
  explicit Nsga2Generator(const Nsga2Options& options) : o_(options) {}

  Proposal propose(const Question& q) const override {
    const std::vector<const Trial*> parents = survivors(q.past);
    if (auto further = promotion(q, parents)) return *further;
    const Known known(q);
    if (parents.empty()) return uniform_start(q, known);
    return first_unknown(q, known, [&] { return child(q, parents); });
  }

 private:
  // The best of each generation and those before it, best first; empty until the first is complete. A generation is
  // the next so many examined networks, so that it needs no record. Survivors go on at higher rungs before they have
  // children.
  std::vector<const Trial*> survivors(const StudyView& past) const {
    const std::vector<const Trial*> trials = examined_networks(past);
    const auto size = static_cast<size_t>(o_.population);
    if (trials.size() < size) return {};
    const Objective& objective = past.objective;
    std::vector<const Trial*> alive;
    for (size_t first = 0; first + size <= trials.size(); first += size) {
      const auto begin = trials.begin() + static_cast<std::ptrdiff_t>(first);
      alive.insert(alive.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
      alive = best_first(std::move(alive), objective);
      alive.resize(size);
    }
    return alive;
  }

  Proposal child(const Question& q, const std::vector<const Trial*>& parents) const {
    // A tournament of two: the one that stands further in front wins.
    const auto parent = [&]() -> const Trial& {
      const uint64_t a = q.rng.below(parents.size()), b = q.rng.below(parents.size());
      return *parents[std::min(a, b)];
    };
    const Trial& mother = parent();
    const Trial& father = parent();
    const bool crossed = q.rng.uniform() < o_.crossover;
    Proposal proposal(crossed ? crossover(q.space, mother.genotype, father.genotype, q.rng) : mother.genotype);
    Genotype& made = proposal.genotype;
    const std::vector<Decision>& decisions = q.space.decisions();
    const double rate = o_.changes / static_cast<double>(decisions.size());
    for (size_t d = 0; d < decisions.size(); ++d)
      if (q.rng.uniform() < rate) made.choice[d] = static_cast<int>(q.rng.below(decisions[d].options.size()));
    proposal.by = "child";
    proposal.reason = "of trial " + std::to_string(mother.index);
    if (crossed) proposal.reason += " and trial " + std::to_string(father.index);
    return proposal;
  }

  Nsga2Options o_;
};

}  // namespace

std::unique_ptr<Generator> make_nsga2_generator(core::config::Reader& reader) {
  Nsga2Options options;
  read_options(reader, options);
  return std::make_unique<Nsga2Generator>(options);
}

}  // namespace condenser::search
