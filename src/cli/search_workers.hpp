#pragma once
// The workers of a search on this machine: one in this process, or several with a process each.

#include "cli/stages/stages.hpp"
#include "condenser/search/driver.hpp"

namespace condenser::cli {

// Trials of workers that are no more, which only the holder of the run folder's lock can know, wait for a worker again.
void give_back_lost(search::Store&);

// Works on the study until nothing is left to do; `watch` hears of every trial once. The first worker that meets
// trouble ends the others, and its exception comes out.
std::vector<search::Trial> run_workers(RunContext&, const search::Gate&, const std::string& study,
                                       const search::SearchWatch& watch);

}  // namespace condenser::cli
