#pragma once
// Networks to choose from: drawn, passed by the gate, each once.

#include <algorithm>
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

  // Until so many are there, or eight times as many were drawn in vain. No draw depends on what became of those before,
  // so that those that are wanted at least are drawn first and looked at together.
  template <class Draw>
  void fill(size_t size, const char* origin, const Draw& draw) {
    for (size_t tries = 8 * size; members_.size() < size && tries > 0;) {
      std::vector<Genotype> drawn(std::min(tries, size - members_.size()));
      for (Genotype& genotype : drawn) genotype = draw();
      tries -= drawn.size();
      look_at(drawn);
      for (Genotype& genotype : drawn) add(std::move(genotype), origin);
    }
  }

  // Networks that differ in one decision, while there are less than `size`.
  void add_neighbours(const Genotype&, size_t size, const char* origin);

  const std::vector<Catalogue::Member>& members() const { return members_; }
  const char* origin(size_t i) const { return origins_[i]; }

 private:
  void look_at(const std::vector<Genotype>&) const;  // by the team of the process: the catalogue knows them then

  const Question& q_;
  std::unordered_set<core::Fingerprint, core::FingerprintHash> drawn_;
  std::vector<Catalogue::Member> members_;
  std::vector<const char*> origins_;
};

}  // namespace condenser::search
