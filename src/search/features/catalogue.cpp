#include "search/features/catalogue.hpp"

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
    std::array<double, 4> costs{};
    const char* names[] = {"params", "macs", "constant_bytes", "arena_bytes"};
    for (size_t k = 0; k < costs.size(); ++k) costs[k] = cost(candidate, *find_metric(names[k])).value_or(0);
    entry.features = features_of(genotype, graph(candidate), costs);
  } catch (const arch::SpecError&) {
    entry.passed = false;
  }
  return entry;
}

}  // namespace

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
