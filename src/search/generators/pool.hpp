#pragma once
// Networks to choose from: drawn, passed by the gate, each once.

#include <unordered_set>
#include <vector>

#include "condenser/search/generator.hpp"
#include "search/features/catalogue.hpp"

namespace condenser::search {

// Weights of the options of each decision, which are drawn independently: theta of the generator.
using Distribution = std::vector<std::vector<double>>;
Distribution prior_of(const Space&);  // what a user believes; else all alike
Genotype draw(const Distribution&, core::Rng&);

class Pool {
 public:
  explicit Pool(const Question& q) : q_(q) {}

  // `origin`: words for people. False: refused, or drawn before.
  bool add(Genotype, const char* origin);

  // Until so many are there, or eight times as many were drawn in vain.
  template <class Draw>
  void fill(size_t size, const char* origin, const Draw& draw) {
    for (size_t tries = 8 * size; members_.size() < size && tries > 0; --tries) add(draw(), origin);
  }

  // Networks that differ in one decision, while there are less than `size`.
  void add_neighbours(const Genotype&, size_t size, const char* origin);

  const std::vector<Catalogue::Member>& members() const { return members_; }
  const char* origin(size_t i) const { return origins_[i]; }

 private:
  const Question& q_;
  std::unordered_set<core::Fingerprint, core::FingerprintHash> drawn_;
  std::vector<Catalogue::Member> members_;
  std::vector<const char*> origins_;
};

}  // namespace condenser::search
