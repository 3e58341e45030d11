#pragma once
// How long one proposal takes after many trials.

#include <cstdint>
#include <string>

#include "condenser/core/statistics.hpp"
#include "condenser/search/gate.hpp"

namespace condenser::search {

struct ProposalBenchOptions {
  std::string generator = "generative_synthesis";  // with its default options
  int64_t history = 500;                           // trials before the first proposal: examined networks, each once
  int proposals = 25;                              // that are measured, one after the other
  int warming = 5;                                 // before these: caches are those of a search that runs
};

struct ProposalBenchResult {
  core::Quartiles milliseconds;            // by the clock
  core::Quartiles processor_milliseconds;  // of this process, all its threads
};

// Values are a pure function of the genotype, so that nothing is trained; what was proposed joins the history. Throws
// core::Error for a space in which less networks pass the gate than the history wants.
ProposalBenchResult bench_proposal(const Space&, const Gate&, const ProposalBenchOptions&);

}  // namespace condenser::search
