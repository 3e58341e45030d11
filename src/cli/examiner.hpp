#pragma once
// Candidates examined in a process of their own: what crashes, hangs or eats memory there costs that candidate alone.

#include <memory>

#include "cli/stages/stages.hpp"
#include "condenser/core/channel.hpp"

namespace condenser::cli {

// The probes of a run's search, for this process.
std::vector<std::unique_ptr<search::Probe>> make_probes(RunContext&);

struct ExaminerOptions {
  std::filesystem::path folder;  // has the config.resolved.yaml that the process reads
  int threads = 0;               // of the process; 0: as the configuration says
  int slot = 0, slots = 1;       // which share of the processors it is pinned to; of one: not pinned
  double most_seconds = 0;       // for one candidate; 0: no limit
  int64_t most_mebibytes = 0;    // resident; 0: no limit
};

// Stands for all probes of a run's search; its process starts with the first question. A candidate that passes a limit,
// or ends the process twice, is a CandidateError.
std::unique_ptr<search::Probe> make_examiner(ExaminerOptions, std::vector<std::string> finds);

// The other side: answers questions until the channel closes. Returns the exit code.
int serve_examiner(RunContext&, core::Channel);

}  // namespace condenser::cli
