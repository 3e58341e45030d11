#include "train/supernet/draws.hpp"

#include <optional>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::train {
namespace {

using search::Candidate;
using search::Genotype;
using search::Space;

constexpr uint64_t kExtremes = 0x5E1, kCover = 0x5E2, kDraw = 0x5E3;  // streams
constexpr int kTries = 10'000;

// None: the genotype is illegal, or gives no network.
std::optional<Candidate> expanded(const Space& space, const Genotype& genotype) {
  if (!search::legal(space, genotype)) return std::nullopt;
  try {
    return space.expand(genotype);
  } catch (const core::Error&) {
    return std::nullopt;
  }
}

// Every genotype that differs in one decision.
template <class Use>
void each_neighbour(const Space& space, const Genotype& genotype, const Use& use) {
  const auto& decisions = space.decisions();
  for (size_t d = 0; d < decisions.size(); ++d)
    for (int k = 0; k < std::ssize(decisions[d].options); ++k) {
      Genotype other = genotype;
      other.choice[d] = k;
      if (other != genotype) use(other);
    }
}

Genotype first_allowed(const Space& space, const Allowed& allowed, core::Rng& rng) {
  for (int i = 0; i < kTries; ++i) {
    Genotype genotype = search::sample(space, rng);
    const auto candidate = expanded(space, genotype);
    if (candidate && allowed(*candidate)) return genotype;
  }
  throw core::Error("weight sharing: none of " + std::to_string(kTries) +
                    " networks drawn from the space passes the gate; loosen the gate, or leave inherited out of "
                    "probe.scores");
}

// Along the best single change until there is none; `sign`: 1 for more parameters, -1 for fewer.
Genotype climb(const Space& space, const Allowed& allowed, Genotype genotype, int sign) {
  const auto size = [&](const Candidate& c) { return std::pair(sign * c.cost.params, sign * c.cost.macs); };
  auto best = size(space.expand(genotype));
  while (true) {
    const Genotype from = genotype;
    each_neighbour(space, from, [&](const Genotype& other) {
      const auto candidate = expanded(space, other);
      if (!candidate || size(*candidate) <= best || !allowed(*candidate)) return;
      best = size(*candidate);
      genotype = other;
    });
    if (genotype == from) return genotype;
  }
}

bool any(const Candidate&) { return true; }

}  // namespace

Extremes extremes(const Space& space, const Allowed& allowed, uint64_t seed) {
  constexpr int kStarts = 4;
  core::Rng rng(seed, kExtremes);
  std::optional<Extremes> found;
  const auto params = [&](const Genotype& g) { return space.expand(g).cost.params; };
  for (int i = 0; i < kStarts; ++i) {
    const Genotype start = first_allowed(space, allowed, rng);
    const Extremes now{climb(space, allowed, start, 1), climb(space, allowed, start, -1)};
    if (!found) found = now;
    if (params(now.widest) > params(found->widest)) found->widest = now.widest;
    if (params(now.narrowest) < params(found->narrowest)) found->narrowest = now.narrowest;
  }
  return *found;
}

SharedWeights cover_space(const Space& space, const Extremes& ends, uint64_t seed) {
  constexpr int kDraws = 500;
  SharedWeights shared;
  const auto cover = [&](const Genotype& genotype) {
    if (const auto candidate = expanded(space, genotype)) shared.cover(candidate->spec);
  };
  cover(ends.widest);
  cover(ends.narrowest);
  const Genotype largest = climb(space, any, ends.widest, 1);
  for (const Genotype* genotype : {&ends.widest, &largest}) {
    cover(*genotype);
    each_neighbour(space, *genotype, cover);
  }
  core::Rng rng(seed, kCover);
  for (int i = 0; i < kDraws; ++i) cover(search::sample(space, rng));
  return shared;
}

std::vector<Genotype> draw(const Space& space, const Allowed& allowed, const SharedWeights& shared, int64_t count,
                           uint64_t seed) {
  core::Rng rng(seed, kDraw);
  const Allowed known = [&](const Candidate& c) { return allowed(c) && shared.covers(c.spec); };
  std::vector<Genotype> drawn;
  for (int64_t i = 0; i < count; ++i) drawn.push_back(first_allowed(space, known, rng));
  return drawn;
}

}  // namespace condenser::train
