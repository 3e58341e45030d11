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

// Estimates of search and training, in seconds, and what they rest on.
struct WorkTime {
  double search = 0, train = 0;
  std::string basis;    // "times are estimates from ..."
  int sampled = 0;      // networks of the space, none of which may pass the gate
  std::string refused;  // of the others: "max_constant_bytes 120, column_layout 4"
  bool known = false;   // some network passes; else there is no time to tell
};

// Of a run that searches, for so many items to learn from and to choose by. Takes a second.
WorkTime time_of(const RunConfig&, double training, double validation);

// Stages, data, size of the space, share of it that passes the gate (sampled), estimated time. Trains nothing, writes
// nothing.
StageOutput dry_run(RunContext&);

}  // namespace condenser::cli
