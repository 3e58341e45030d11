#pragma once
// Proposes the next genotype from the past. A pure function of its arguments (contract-tested), so a search replays.

#include <memory>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/search/study.hpp"

namespace condenser::search {

// What a generator asks of candidates before anything is trained. A cache: many threads may share one, and sharing
// saves what each would work out again.
class Catalogue;
std::shared_ptr<const Catalogue> make_catalogue(const Space&, const Gate&);  // both must outlive it

// What a generator is asked.
struct Question {
  const Space& space;
  const Catalogue& catalogue;  // identity, gate and features of any genotype of the space, made once
  const StudyView& past;       // may hold refused and failed trials and copies
  core::Rng& rng;
};

class Generator {
 public:
  virtual ~Generator() = default;
  // A legal genotype and rung: 0, or one above what the past has of that network. Many threads may ask at once. Should
  // take well below 100 ms whatever the length of the past.
  virtual Proposal propose(const Question&) const = 0;
  // The trial to return when the search is over, an index into the past; -1: none is feasible. The best measured one,
  // unless a strategy knows that measurements are noisy.
  virtual int64_t recommend(const Question&) const;
};

struct GeneratorRow {
  std::string name;
  std::string about;
  std::unique_ptr<Generator> (*make)(core::config::Reader&);  // reads its own keys
  bool several = false;                                       // follows several goals at once
};
const std::vector<GeneratorRow>& generators();
// `reader` is the section with the generator's own keys. Throws ConfigError naming the nearest.
std::unique_ptr<Generator> make_generator(const std::string& name, core::config::Reader& reader);

}  // namespace condenser::search
