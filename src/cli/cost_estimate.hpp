#pragma once
// The gate of a run, and what a run would do and cost (--dry-run).

#include "cli/run_config.hpp"
#include "cli/stages/stages.hpp"

namespace condenser::cli {

// The configured gate plus one rule per export target: exportable_to_<target>.
search::Gate make_gate(const search::GateOptions&, const std::vector<std::string>& targets);
search::Gate make_gate(const RunConfig&);

// Whether such a gate lets a network pass before its training.
train::Allowed allowed_by(search::Gate);

// Stages, data, size of the space, share of it that passes the gate (sampled), estimated time. Trains nothing, writes
// nothing.
StageOutput dry_run(RunContext&);

}  // namespace condenser::cli
