#pragma once
// A Space is a list of named decisions; a Genotype is one choice per decision; expand() turns it into a Spec. Sampling,
// mutation, crossover and encoding are written once for all spaces.

#include <memory>
#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/rng.hpp"

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

using Candidate = arch::Design;  // input front-ends of audio spaces will stand beside it

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
