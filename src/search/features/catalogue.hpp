#pragma once
// What a generator asks of candidates before anything is trained: identity, gate, features. Each is a function of the
// genotype alone, so what is kept is a cache that can be dropped at any time.

#include <memory>
#include <mutex>
#include <unordered_map>

#include "condenser/search/gate.hpp"
#include "condenser/search/space.hpp"
#include "search/features/feature_table.hpp"

namespace condenser::search {

class Catalogue {
 public:
  struct Entry {
    core::Fingerprint fingerprint;  // equal networks have equal ones
    bool passed = false;            // the gate, before training
    Features features;              // empty unless passed
    Findings costs;                 // what is known before anything is measured; empty unless passed
  };

  struct Member {
    Genotype genotype;
    std::shared_ptr<const Entry> entry;
  };
  // Every network of a small space that passes the gate, once.
  struct Whole {
    std::vector<Member> members;
    FeatureTable table;  // a row for each
    std::unordered_map<core::Fingerprint, int, core::FingerprintHash> row_of;
    SimilarityCache similarity{table};
  };

  Catalogue(const Space& space, const Gate& gate) : space_(space), gate_(gate) {}
  // Many threads may ask at once. A genotype that is forbidden or cannot be expanded has not passed.
  std::shared_ptr<const Entry> of(const Genotype&) const;
  // Made when first asked for; nullptr where the space has more genotypes than `most`.
  const Whole* whole(int most) const;
  core::Hash128 identity(const Genotype& genotype) const { return search::identity(space_.expand(genotype)); }

 private:
  struct Hasher {
    size_t operator()(const Genotype&) const;
  };
  const Space& space_;
  const Gate& gate_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<Genotype, std::shared_ptr<const Entry>, Hasher> entries_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<const Whole> whole_;
};

}  // namespace condenser::search
