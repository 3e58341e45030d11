#pragma once
// Proposes the next genotype from the past. A pure function of its arguments (contract-tested), so a search replays.

#include <memory>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/search/study.hpp"

namespace condenser::search {

class Generator {
 public:
  virtual ~Generator() = default;
  // A legal genotype. `past` may hold refused and failed trials and copies; many threads may ask at once. Should take
  // well below 100 ms whatever the length of the past.
  virtual Genotype propose(const Space&, const StudyView& past, core::Rng& rng) const = 0;
};

struct GeneratorRow {
  std::string name;
  std::string about;
  std::unique_ptr<Generator> (*make)(core::config::Reader&);  // reads its own keys
};
const std::vector<GeneratorRow>& generators();
// `reader` is the section with the generator's own keys. Throws ConfigError naming the nearest.
std::unique_ptr<Generator> make_generator(const std::string& name, core::config::Reader& reader);

}  // namespace condenser::search
