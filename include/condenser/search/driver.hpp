#pragma once
// propose -> expand -> gate -> hash -> examine -> store, until the budget is spent. Resumes from the store.

#include <functional>

#include "condenser/search/generator.hpp"
#include "condenser/search/inquisitor.hpp"

namespace condenser::search {

struct SearchOptions {
  std::string generator = "evolution";
  std::string objective = "val_accuracy";  // in metrics(); made as high, or as low, as that table says
  int trials = 16;                         // examined (Done or Failed) candidates, not counting refusals and duplicates
  int max_proposals = 2000;                // give up when so many were proposed
  int window = 0;                          // proposal k sees trials with index < k - window
  int batch = 1;                           // proposed together: proposals k .. k + batch - 1 see the same past
  uint64_t seed = 1;
};
void read_options(core::config::Reader&, SearchOptions&);

struct SearchContext {
  const Space& space;
  const Generator& generator;
  const Gate& gate;
  const Inquisitor& inquisitor;
  Store& store;
  const Catalogue* catalogue = nullptr;  // of this space and gate, to be shared by several searches; none: its own
};

// What a search tells while it runs; any may be empty.
struct SearchWatch {
  std::function<void(const Trial&, int64_t examined)> on_trial;  // it is stored
  // The candidate of trial `trial` is being examined, after `examined` others; called often.
  std::function<void(int64_t trial, int64_t examined, double fraction, const std::string& doing)> on_progress;
  std::function<bool()> enough;  // asked before every trial: true ends the search early
};

// Returns every trial of the study. A candidate's own failure (CandidateError, arch::SpecError) makes a Failed trial;
// every other exception is trouble of the surroundings: it ends the search as a core::Error that names the trial, and
// nothing of that trial is stored, so the same call goes on once the trouble is over. core::Stopped passes through.
// Throws ConfigError for an objective that no probe in force finds. Adds the metrics params, macs, constant_bytes and
// arena_bytes to every trial, and netscore where a probe found val_accuracy. The caller binds the store.
std::vector<Trial> run_search(const SearchContext&, const SearchOptions&, const SearchWatch& watch = {});

}  // namespace condenser::search
