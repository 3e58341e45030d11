#pragma once
// The workers of a search on this machine: one in this process, or several with a process each.

#include "cli/stages/stages.hpp"
#include "condenser/search/driver.hpp"

namespace condenser::cli {

// Where the trials of a run lie.
std::string study_of(const RunContext&);
bool is_shared(const RunContext&);  // other machines may work on it too

// What a study keeps for those who join it: the resolved configuration of its search.
inline constexpr char kConfiguration[] = "configuration";

// Binds the study to what the run's search depends on, and leaves the configuration for workers that join. Trials of
// workers of this machine that are no more wait for a worker again.
void open_for_work(RunContext&);

// Works on the study until nothing is left to do; `watch` hears of every trial once. The first worker that meets
// trouble ends the others, and its exception comes out.
std::vector<search::Trial> run_workers(RunContext&, const search::Gate&, const search::SearchWatch& watch);

// Of trainings that wait to go on to a higher rung.
std::filesystem::path paused_folder(const std::filesystem::path& run_folder);
std::filesystem::path supernet_folder(const std::filesystem::path& run_folder);  // of shared weights; "" of ""

}  // namespace condenser::cli
