// The table of generators. Each strategy is one file in generators/.

#include "condenser/search/generator.hpp"

#include "search/tables.hpp"

namespace condenser::search {

const std::vector<GeneratorRow>& generators() {
  static const std::vector<GeneratorRow> table = {
      {"evolution", "regularized evolution: mutate the winner of a tournament among the youngest trials",
       make_evolution_generator},
      {"random", "uniform sampling; the baseline every other strategy must beat", make_random_generator},
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
