#pragma once
// A trial: one examination of one network at one fidelity, from its proposal to what was found. Refusals are trials
// with a reason. A network that goes on at a higher fidelity gets a trial of its own for that, so that a trial, once
// finished, never changes.

#include <optional>
#include <string>
#include <vector>

#include "condenser/core/hash.hpp"
#include "condenser/search/gate.hpp"

namespace condenser::search {

// Of an objective that was not yet measured, in its own unit.
struct Forecast {
  double value = 0;
  double low = 0, high = 0;  // one deviation away
  double gain = 0;           // expected, over the best so far
  bool operator==(const Forecast&) const = default;
};

// What to examine next, and why.
struct Proposal {
  Proposal() = default;
  Proposal(Genotype g) : genotype(std::move(g)) {}  // NOLINT: a genotype is a proposal
  Genotype genotype;
  int rung = 0;        // of StudyView::rungs; 0 for networks that were not examined yet
  std::string by;      // what part of a generator ("pool", "start"), or kOutside and who; "": the generator as a whole
  std::string reason;  // for people
  std::optional<Forecast> forecast;
  bool operator==(const Proposal&) const = default;
};

enum class TrialState {
  Done,      // examined; feasible when all verdicts passed
  Refused,   // by the gate before training
  Failed,    // the candidate could not be examined, for a reason of its own (CandidateError); `error` says which
  Proposed,  // passed the gate and waits for a worker
  Running,   // a worker examines it
};
const char* to_string(TrialState);

// How `by` begins when a person or another program has proposed: "outside: ana".
inline constexpr char kOutside[] = "outside: ";
// And of trials that were finished when they came, with what was measured elsewhere: "outside: import of known.csv".
inline constexpr char kImport[] = "outside: import of ";

struct Trial {
  int64_t index = 0;
  Genotype genotype;
  core::Hash128 hash;  // arch::hash of the expanded Spec, once it has passed the gate; before that zero
  TrialState state = TrialState::Done;
  int64_t same_as = -1;  // the first trial of the same network at the same fidelity, whose findings are this one's
  std::vector<Verdict> verdicts;
  Findings findings;
  std::string error;
  double seconds = 0;  // of examination, wall clock; not part of the result
  int rung = 0;
  double fidelity = 1;  // of that rung: share of the full examination; 1: full
  std::string by, reason;
  std::optional<Forecast> forecast;
  std::string worker;  // who examines or has examined it; not part of the result
  int tries = 0;       // how many workers took it; not part of the result

  bool finished() const { return state != TrialState::Proposed && state != TrialState::Running; }
  // Successfully or not, now or later, here or elsewhere.
  bool examined() const { return state != TrialState::Refused && same_as < 0; }
  bool imported() const { return by.starts_with(kImport); }
  bool in_budget() const { return examined() && !imported(); }  // what a budget counts
  bool feasible() const { return state == TrialState::Done && passed(verdicts); }
  bool full() const { return fidelity >= 1; }
  bool from_outside() const { return by.starts_with(kOutside); }  // of no generator: not replayed
};

}  // namespace condenser::search
