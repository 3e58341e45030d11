#include "search/features/catalogue.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/search/generator.hpp"

namespace condenser::search {
namespace {

constexpr size_t kMostEntries = 200'000;  // some kilobytes each

Catalogue::Entry entry_of(const Space& space, const Gate& gate, const Genotype& genotype) {
  Catalogue::Entry entry;
  if (!legal(space, genotype)) return entry;
  try {
    const Candidate candidate = space.expand(genotype);
    entry.fingerprint = fingerprint(candidate);
    entry.passed = passed(gate.before_training(candidate));
    if (!entry.passed) return entry;
    gate.add_costs(candidate, entry.costs);
    std::array<double, 4> costs{};
    const char* names[] = {"params", "macs", "constant_bytes", "arena_bytes"};
    for (size_t k = 0; k < costs.size(); ++k) {
      const auto value = entry.costs.metrics.find(names[k]);
      if (value != entry.costs.metrics.end()) costs[k] = value->second;
    }
    entry.features = features_of(genotype, graph(candidate), costs);
  } catch (const arch::SpecError&) {
    entry.passed = false;
  }
  return entry;
}

// Calls `f` with every genotype.
template <class F>
void each_genotype(const Space& space, const F& f) {
  Genotype g{std::vector<int>(space.decisions().size(), 0)};
  while (true) {
    f(g);
    size_t d = 0;
    for (; d < g.choice.size(); ++d) {
      if (++g.choice[d] < static_cast<int>(space.decisions()[d].options.size())) break;
      g.choice[d] = 0;
    }
    if (d == g.choice.size()) return;
  }
}

std::unique_ptr<const Catalogue::Whole> whole_of(const Space& space, const Gate& gate) {
  auto whole = std::make_unique<Catalogue::Whole>();
  each_genotype(space, [&](const Genotype& g) {
    auto entry = std::make_shared<const Catalogue::Entry>(entry_of(space, gate, g));
    if (!entry->passed) return;
    if (whole->row_of.try_emplace(entry->fingerprint, static_cast<int>(whole->members.size())).second)
      whole->members.push_back({g, std::move(entry)});
  });
  std::vector<const Features*> rows;
  for (const Catalogue::Member& m : whole->members) rows.push_back(&m.entry->features);
  if (!rows.empty()) whole->table = feature_table(rows);
  return whole;
}

}  // namespace

std::shared_ptr<const Catalogue> make_catalogue(const Space& space, const Gate& gate) {
  return std::make_shared<const Catalogue>(space, gate);
}

const Catalogue::Whole* Catalogue::whole(int most) const {
  if (log10_size(space_) > std::log10(std::max(1, most))) return nullptr;
  std::call_once(once_, [&] { whole_ = whole_of(space_, gate_); });
  return whole_.get();
}

size_t Catalogue::Hasher::operator()(const Genotype& genotype) const {
  core::Mixer mixer;
  for (const int choice : genotype.choice) mixer.add(static_cast<uint64_t>(choice));
  return core::FingerprintHash()(mixer.finish());
}

std::shared_ptr<const Catalogue::Entry> Catalogue::of(const Genotype& genotype) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(genotype); found != entries_.end()) return found->second;
  }
  auto entry = std::make_shared<const Entry>(entry_of(space_, gate_, genotype));
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kMostEntries) entries_.clear();
  entries_.try_emplace(genotype, entry);
  return entry;
}

}  // namespace condenser::search
