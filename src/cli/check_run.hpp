#pragma once
// What can be known to go wrong before a run folder is made and work begins.

#include <string>
#include <vector>

#include "cli/stages/stages.hpp"

namespace condenser::cli {

// Options of the short trainings and of the training against the opened data, the run's own network or samples of its
// space, files of earlier runs, and the number of processes. Only what the stages in `names` will do. ConfigError.
// `fresh`: what the folder holds will be moved aside.
void check_run(RunContext&, const std::vector<std::string>& names, int ranks, bool fresh);

}  // namespace condenser::cli
