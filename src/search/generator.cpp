// The table of generators. Each strategy is one file in generators/.

#include "condenser/search/generator.hpp"

#include "condenser/search/ladder.hpp"
#include "search/tables.hpp"

namespace condenser::search {

namespace {

// For those that know nothing of rungs.
template <auto make>
std::unique_ptr<Generator> on_ladder(core::config::Reader& reader) {
  return with_ladder(make(reader));
}

}  // namespace

int64_t Generator::recommend(const Question& q) const {
  const Trial* found = best(q.past.seen(), q.past.objective);
  return found == nullptr ? -1 : found->index;
}

const std::vector<GeneratorRow>& generators() {
  static const std::vector<GeneratorRow> table = {
      {"generative_synthesis", "a pool of networks, a learned predictor with doubt, a distribution that follows it",
       make_generative_synthesis_generator, true},
      {"evolution", "regularized evolution: mutate the winner of a tournament among the youngest trials",
       on_ladder<make_evolution_generator>},
      {"nsga2", "a genetic algorithm over generations: fronts, crowding, crossover and mutation", make_nsga2_generator,
       true},
      {"tpe", "tree-structured Parzen estimators: where good networks are dense and others are not", make_tpe_generator,
       true},
      {"local", "walks to the first better network that differs in one decision", on_ladder<make_local_generator>},
      {"random", "uniform sampling; the baseline every other strategy must beat", on_ladder<make_random_generator>,
       true},
  };
  return table;
}

std::unique_ptr<Generator> make_generator(const std::string& name, core::config::Reader& reader) {
  std::vector<std::string> names;
  for (const GeneratorRow& row : generators()) {
    if (row.name == name) return row.make(reader);
    names.push_back(row.name);
  }
  const std::string near = core::config::nearest(name, names);
  throw core::ConfigError(reader.where() + ": generator = " + name + " is unknown" +
                          (near.empty() ? "" : "; did you mean " + near));
}

}  // namespace condenser::search
