#include "search/engine/judge.hpp"

#include "condenser/core/log.hpp"
#include "search/derived.hpp"

namespace condenser::search {
namespace {

constexpr uint64_t kExamineStream = 0x6578616d696e65;  // "examine"

uint64_t examination_seed(uint64_t seed, const core::Hash128& hash) {
  uint64_t half = 0;
  for (int i = 0; i < 8; ++i) half = half << 8 | hash.bytes[static_cast<size_t>(i)];  // same on every machine
  return core::Rng(seed, kExamineStream, half).next();
}

void fail(Trial& trial, const core::Error& e) {
  trial.state = TrialState::Failed;
  trial.error = e.what();
  core::log::warning("search: candidate " + std::to_string(trial.index) + " failed: " + trial.error);
}

// What is the candidate's own doing becomes its failure.
template <class F>
void guarded(Trial& trial, const F& body) {
  try {
    body();
  } catch (const arch::SpecError& e) {
    fail(trial, e);
  } catch (const CandidateError& e) {
    fail(trial, e);
  }
}

}  // namespace

std::optional<Candidate> Judge::admit(Trial& trial, const History& history) const {
  std::optional<Candidate> candidate;
  guarded(trial, [&] {
    candidate = space_.expand(trial.genotype);
    const int64_t known = history.first_with(fingerprint(*candidate), trial.rung);
    if (known >= 0) {
      trial.same_as = known;
      copy_findings(history.trials()[static_cast<size_t>(known)], trial);
      return;
    }
    gate_.add_costs(*candidate, trial.findings);
    trial.verdicts = gate_.before_training(*candidate);
    trial.state = passed(trial.verdicts) ? TrialState::Proposed : TrialState::Refused;
    if (trial.state == TrialState::Proposed) trial.hash = identity(*candidate);
  });
  return candidate;
}

void Judge::examine(Trial& trial, const Candidate& candidate, ProbeContext context) const {
  context.genotype = trial.genotype;
  context.fidelity = trial.fidelity;
  context.seed = seed_of(trial);
  trial.state = TrialState::Done;
  guarded(trial, [&] { ask(trial, candidate, context); });
}

void Judge::ask(Trial& trial, const Candidate& candidate, ProbeContext& context) const {
  trial.findings = inquisitor_.examine(candidate, context);
  conclude(trial, candidate);
}

uint64_t Judge::seed_of(const Trial& trial) const { return examination_seed(seed_, trial.hash); }

void Judge::conclude(Trial& trial, const Candidate& candidate) const {
  gate_.add_costs(candidate, trial.findings);
  derive(trial.findings);
  if (!trial.full()) return;  // bounds are of the full examination
  for (const Verdict& verdict : gate_.after_probe(trial.findings)) trial.verdicts.push_back(verdict);
  for (const Verdict& verdict : objective_.verdicts(trial.findings)) trial.verdicts.push_back(verdict);
}

}  // namespace condenser::search
