#pragma once
// A study as seen by people and other programs, which may propose and examine as workers do: under the same gate,
// budget, leases and order, and on the same record.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "condenser/search/driver.hpp"

namespace condenser::search {

// The answer to who asked for a trial.
struct Asked {
  // Running: to be examined and told before the lease ends. Of an own proposal also Refused, Failed, or a copy
  // (same_as) of a network that is known. None: there is nothing to examine now.
  std::optional<Trial> trial;
  uint64_t seed = 0;   // of its examination, which is to be used where something is drawn
  std::string why;     // without a trial: the reason, for people
  bool later = false;  // without a trial: others have to finish theirs first; else it is over
};

// A trial that nobody works on, or the generator's next, for context.worker (kOutside and a name), leased for
// context.lease seconds, which must be positive. `own`: this one instead, if the gate lets it pass; its `by` is the
// worker. Throws as run_search does.
Asked ask(const SearchContext&, const SearchOptions&, const std::optional<Proposal>& own = std::nullopt);

// What an examination has found.
struct Told {
  std::map<std::string, double> metrics;  // without costs and netscore, which the study knows for itself
  std::string failure;                    // or why it could not be done
  double seconds = 0;                     // that it took; 0: unknown
};

// Metrics that can be told: known to the table, and not computed. Throws ConfigError naming the nearest.
void check_told(const std::map<std::string, double>& metrics, const Objective&);

struct Taken {
  Trial trial;         // as it is stored now
  bool known = false;  // the same was told before
};
// Finishes a trial that context.worker has asked for. Throws ConfigError for a trial that is not there and for metrics
// that cannot be, core::Error where it is too late: another has it, or it is finished with something else.
Taken tell(const SearchContext&, const SearchOptions&, int64_t trial, const Told&);

// A design whose results are known from elsewhere.
struct Known {
  Genotype genotype;
  Findings findings;
  std::map<std::string, double> costs;  // as the file has them, by metric: must be those of the network
  std::string where;                    // "known.csv:7", for messages
};
struct Imported {
  int64_t feasible = 0, infeasible = 0, refused = 0, failed = 0;
  std::vector<std::string> left_out;  // why, one line each: the study has that network already
};
// Adds them, finished, as trials from outside that no budget counts; the gate judges them as all others. All metrics
// are checked before the first is added. context.worker is what proposed them (kImport and a name).
Imported import_known(const SearchContext&, const SearchOptions&, const std::vector<Known>&);

}  // namespace condenser::search
