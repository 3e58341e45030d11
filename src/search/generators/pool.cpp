#include "search/generators/pool.hpp"

#include "condenser/core/team.hpp"

namespace condenser::search {

Distribution prior_of(const Space& space) {
  if (!space.prior().empty()) return space.prior();
  Distribution weights;
  for (const Decision& d : space.decisions()) weights.emplace_back(d.options.size(), 1.0);
  return weights;
}

Genotype draw(const Distribution& weights, core::Rng& rng) {
  Genotype genotype;
  for (const std::vector<double>& w : weights) {
    double sum = 0;
    for (const double x : w) sum += x;
    double left = rng.uniform() * sum;
    size_t option = 0;
    while (option + 1 < w.size() && left >= w[option]) left -= w[option++];
    genotype.choice.push_back(static_cast<int>(option));
  }
  return genotype;
}

bool Pool::add(Genotype genotype, const char* origin) {
  auto entry = q_.catalogue.of(genotype);
  if (!entry->passed || !drawn_.insert(entry->fingerprint).second) return false;
  members_.push_back({std::move(genotype), std::move(entry)});
  origins_.push_back(origin);
  return true;
}

void Pool::look_at(const std::vector<Genotype>& genotypes) const {
  constexpr int64_t kTogether = 8;
  core::for_parts(std::ssize(genotypes), kTogether, [&](int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; ++i) (void)q_.catalogue.of(genotypes[static_cast<size_t>(i)]);
  });
}

void Pool::add_neighbours(const Genotype& genotype, size_t size, const char* origin) {
  std::vector<Genotype> neighbours;
  for (size_t d = 0; d < genotype.choice.size(); ++d) {
    for (int option = 0; option < static_cast<int>(q_.space.decisions()[d].options.size()); ++option) {
      if (option == genotype.choice[d]) continue;
      neighbours.push_back(genotype);
      neighbours.back().choice[d] = option;
    }
  }
  look_at(neighbours);
  for (Genotype& neighbour : neighbours) {
    if (members_.size() >= size) return;
    add(std::move(neighbour), origin);
  }
}

}  // namespace condenser::search
