#pragma once
// A Space is a list of named decisions; a Genotype is one choice per decision; expand() turns it into a Spec. Sampling,
// mutation, crossover and encoding are written once for all spaces.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/search/graph.hpp"
#include "condenser/search/metrics.hpp"

namespace condenser::search {

struct Decision {
  std::string name;                 // "s1_width"
  std::vector<int> options;         // at least one; ascending
  std::vector<std::string> labels;  // parallel to options: what people call them; empty: the numbers themselves
  bool operator==(const Decision&) const = default;
};

struct Genotype {
  std::vector<int> choice;  // choice[i] indexes decisions()[i].options
  auto operator<=>(const Genotype&) const = default;
};

// A network with what it costs. A space that is a look-up table has no network: its candidates say for themselves what
// a network would tell.
struct Candidate : arch::Design {
  Candidate() = default;
  Candidate(arch::Design design) : arch::Design(std::move(design)) {}  // NOLINT: a design is a candidate
  core::Hash128 hash;                                                  // of a table
  std::optional<Graph> graph;                                          // of a table
  std::map<std::string, double> costs;                                 // of a table, by metric
};
core::Hash128 identity(const Candidate&);                     // the name of its network
core::Fingerprint fingerprint(const Candidate&);              // equal where that is equal, and faster
std::optional<double> cost(const Candidate&, const Metric&);  // none: not known before it is examined
Graph graph(const Candidate&);

class Space {
 public:
  virtual ~Space() = default;
  virtual const std::vector<Decision>& decisions() const = 0;
  // Pure. The one place where a candidate is lowered and costed. Throws core::Error on an illegal genotype.
  virtual Candidate expand(const Genotype&) const = 0;
};

struct SpaceContext {
  arch::Shape input;
  int classes = 0;
};

// The explicit table of spaces.
struct SpaceRow {
  std::string name;
  std::string about;
  // Reads the keys that narrow the space (search/spaces/*.yaml), without finish().
  std::unique_ptr<Space> (*make)(core::config::Reader&, const SpaceContext&);
};
const std::vector<SpaceRow>& spaces();
// `reader` holds `space: <name>` and the narrowing keys.
std::unique_ptr<Space> make_space(core::config::Reader& reader, const SpaceContext&);

void check(const Space&, const Genotype&);  // throws core::Error
int value(const Space&, const Genotype&, const std::string& decision);
double log10_size(const Space&);            // of the number of genotypes
Genotype sample(const Space&, core::Rng&);  // uniform per decision
Genotype mutate(const Space&, const Genotype&,
                core::Rng&);  // one decision with several options changes to another option
Genotype crossover(const Space&, const Genotype&, const Genotype&, core::Rng&);
std::vector<double> one_hot(const Space&, const Genotype&);
std::string to_text(const Space&, const Genotype&);  // "stem_width=16 activation=silu s1_width=24 ..."

}  // namespace condenser::search
