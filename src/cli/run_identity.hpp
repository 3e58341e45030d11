#pragma once
// What decides the results of each stage. A stage writes its settings into the record that it leaves; a later call
// compares them with its own, so that changed options redo the stages that they concern and no others, and so that
// nothing is read that was made from something else.

#include "cli/records/records.hpp"
#include "cli/stages/stages.hpp"

namespace condenser::cli {

// Of a stage as this call has them: its own options that decide results, those of the data, and the key of the stage
// before (of the training: the hash of the network). Throws core::Error when the network is needed and not there yet.
Settings settings_of(RunContext&, const std::string& stage);

// "train.epochs 8 -> 12", a part for each name whose value differs.
std::vector<std::string> changes(const Settings& there, const Settings& now);

// learned.json of a training with the options and data of this call.
Learned training_record(RunContext&);

// Compares the run folder with this call before any work: throws ConfigError when the study or the data are those of
// another run; returns lines that say what is made anew, and why.
std::vector<std::string> plan(RunContext&, const std::vector<std::string>& stage_names);

}  // namespace condenser::cli
