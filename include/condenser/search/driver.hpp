#pragma once
// propose -> expand -> hash -> gate -> examine -> store, until the budget is spent. Resumes from the store.

#include <functional>

#include "condenser/search/generator.hpp"

namespace condenser::search {

struct SearchOptions {
  std::string generator = "evolution";
  std::string objective = "val_accuracy";  // metric to maximize
  int trials = 16;                         // examined (Done or Failed) candidates, not counting refusals and duplicates
  int max_proposals = 2000;                // give up when so many were proposed
  int window = 0;                          // proposal k sees trials with index < k - window
  uint64_t seed = 1;
};
void read_options(core::config::Reader&, SearchOptions&);

struct SearchContext {
  const Space& space;
  const Generator& generator;
  const Gate& gate;
  const Inquisitor& inquisitor;
  Store& store;
};

using OnTrial = std::function<void(const Trial&, int64_t examined)>;  // progress

// Returns every trial of the study. A candidate's exception makes a Failed trial; core::Stopped passes through with
// nothing lost. Adds the metrics params, macs, constant_bytes and arena_bytes to every trial, and netscore where a
// probe found val_accuracy. The caller binds the store.
std::vector<Trial> run_search(const SearchContext&, const SearchOptions&, const OnTrial& on_trial = {});

}  // namespace condenser::search
