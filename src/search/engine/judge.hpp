#pragma once
// What becomes of a proposal: a pure function of the proposal, the study's seed and what is known already, the same for
// a search alone, for workers and for a replay.

#include "condenser/search/generator.hpp"
#include "condenser/search/inquisitor.hpp"
#include "search/engine/history.hpp"

namespace condenser::search {

constexpr uint64_t kProposeStream = 0x70726f706f7365;  // "propose"

class Judge {
 public:
  Judge(const Space& space, const Gate& gate, const Inquisitor& inquisitor, const Objective& objective, uint64_t seed)
      : space_(space), gate_(gate), inquisitor_(inquisitor), objective_(objective), seed_(seed) {}

  // Expands and asks the gate: Refused, Failed, a copy of an earlier trial, or Proposed, with its candidate. Most
  // proposals end at the gate, so that only what is to be examined gets its hash, which costs more than all before it.
  std::optional<Candidate> admit(Trial&, const History&) const;

  // Asks the probes: Done or Failed. What is no fault of the candidate comes out as what it is.
  void examine(Trial&, const Candidate&, ProbeContext) const;
  // Adds to the findings what follows from them and from the network, and the gate's verdicts on them.
  void conclude(Trial&, const Candidate&) const;
  uint64_t seed_of(const Trial&) const;  // of its examination

 private:
  void ask(Trial&, const Candidate&, ProbeContext&) const;

  const Space& space_;
  const Gate& gate_;
  const Inquisitor& inquisitor_;
  const Objective& objective_;  // its constraints
  uint64_t seed_;
};

}  // namespace condenser::search
