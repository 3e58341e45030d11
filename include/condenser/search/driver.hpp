#pragma once
// propose -> expand -> gate -> hash -> examine -> store, until the budget is spent. Resumes from the store; several
// workers, threads and machines, may do this for one study.

#include <functional>

#include "condenser/search/generator.hpp"
#include "condenser/search/inquisitor.hpp"

namespace condenser::search {

struct SearchOptions {
  std::string generator = "evolution";
  Objective objective;       // val_accuracy; what is made as good as possible, under which constraints
  int trials = 16;           // full examinations, not counting refusals and copies
  int max_proposals = 2000;  // give up when so many were proposed
  int window = 0;            // proposal k sees trials with index < k - window
  int batch = 1;             // proposed together: proposals k .. k + batch - 1 see the same past
  uint64_t seed = 1;
  std::vector<Genotype> prototypes;  // proposed before anything else, in this order
  double max_hours = 0;              // since the first proposal of the study; 0: no end
  double device_hours = 0;           // of examinations, all together; 0: no end
  double min_gain_per_hour = 0;      // ends when the expected gain of the objective falls below this; 0: never
};
void read_options(core::config::Reader&, SearchOptions&);

struct SearchContext {
  const Space& space;
  const Generator& generator;
  const Gate& gate;
  const Inquisitor& inquisitor;
  Store& store;
  const Catalogue* catalogue = nullptr;  // of this space and gate, to be shared by several searches; none: its own
  std::vector<double> rungs = {1};       // fidelities, ascending; the last is 1
  std::filesystem::path folder = {};     // where paused trainings lie; "": nowhere
  std::string worker = "main";           // name of this worker, unlike all others of the study
  // Seconds without a sign of life after which others take this worker's trial; 0: it works alone.
  double lease = 0;
};

// What a search tells while it runs; any may be empty.
struct SearchWatch {
  std::function<void(const Trial&, int64_t examined)> on_trial;  // it is stored and finished, by whomever
  // The candidate of trial `trial` is being examined, after `examined` others; called often.
  std::function<void(int64_t trial, int64_t examined, double fraction, const std::string& doing)> on_progress;
  std::function<bool()> enough;  // asked before every trial: true ends the search early
};

// Works on a study until nothing is left to do, and returns all its trials. A candidate's own failure (CandidateError,
// arch::SpecError) makes a Failed trial; every other exception is trouble of the surroundings: it ends the search as a
// core::Error that names the trial, which is given back, so the same call goes on once the trouble is over.
// core::Stopped passes through. Throws ConfigError for an objective or a constraint that no probe in force finds. Adds
// the metrics params, macs, constant_bytes and arena_bytes to every trial, and netscore where a probe found
// val_accuracy. The caller binds the store.
std::vector<Trial> run_search(const SearchContext&, const SearchOptions&, const SearchWatch& watch = {});

// Proposes every trial that a generator proposed again, from what it knew then, and compares. Returns the indices of
// those that differ. Throws as run_search does for a study of another space.
std::vector<int64_t> replay_search(const SearchContext&, const SearchOptions&);

}  // namespace condenser::search
