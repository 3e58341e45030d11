#pragma once
// The stored trials and the views computed from them. Refusals are trials with a reason.

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "condenser/core/hash.hpp"
#include "condenser/search/gate.hpp"

namespace condenser::search {

enum class TrialState {
  Done,     // examined; feasible when all verdicts passed
  Refused,  // by the gate before training
  Failed,   // the candidate could not be examined, for a reason of its own (CandidateError); `error` says which
};
const char* to_string(TrialState);

struct Trial {
  int64_t index = 0;
  Genotype genotype;
  core::Hash128 hash;  // arch::hash of the expanded Spec, once it has passed the gate; before that zero
  TrialState state = TrialState::Done;
  int64_t same_as = -1;  // the first trial of the same network, whose findings were reused
  std::vector<Verdict> verdicts;
  Findings findings;
  std::string error;
  double seconds = 0;                                                            // wall clock; not part of the result
  bool examined() const { return state != TrialState::Refused && same_as < 0; }  // by probes, successfully or not
  bool feasible() const { return state == TrialState::Done && passed(verdicts); }
};

// Where the trials of one study live.
//
// Durability: append() returns when the trial is committed; a process that dies at any moment afterwards loses nothing,
// one that dies before leaves no part of the trial (of a power failure the last trials may be missing, never half).
// Order: trials may come in any order and are given back by index; an index is written once and never changed.
// Processes: several may hold one study open and append; each append is one transaction. Who may run the search of a
// run folder is decided elsewhere (its lock).
// Truth: what is read is what was written, doubles to the bit; a row changed by anybody else is refused by name.
// Trouble (a full disk, a damaged file) is a core::Error that names the file and the remedy; nothing is half done.
class Store {
 public:
  virtual ~Store() = default;
  // Identity of the study (configuration that decides results); set once, compared on reopening. Throws ConfigError
  // when it differs.
  virtual void bind(const std::string& identity) = 0;
  virtual void append(const Trial&) = 0;        // throws core::Error when the index is negative or exists
  virtual std::vector<Trial> load() const = 0;  // all, by index; one consistent moment
};
std::unique_ptr<Store> make_memory_store();
std::unique_ptr<Store> make_sqlite_store(
    const std::string& file);  // SOCI; WAL, synchronous=NORMAL; refuses network file systems

// What a generator may see: trials with index < limit.
struct StudyView {
  const std::vector<Trial>* trials = nullptr;  // contiguous from index 0
  int64_t limit = 0;
  std::string objective;          // metric to make as good as possible
  std::vector<Genotype> running;  // proposed, with index >= limit, and not yet known
  size_t size() const;
  std::span<const Trial> seen() const { return {size() == 0 ? nullptr : trials->data(), size()}; }
  const Trial& operator[](size_t i) const { return (*trials)[i]; }
};

// The objective with higher as better, whichever way the metric counts; none unless present and a number.
std::optional<double> rank_value(const Trial&, const std::string& objective);
// The same of feasible trials; none for others.
std::optional<double> merit(const Trial&, const std::string& objective);
// Highest merit among feasible trials; ties: fewer parameters (metric "params"), then lower index. nullptr: none.
const Trial* best(std::span<const Trial>, const std::string& objective);
// Number of refusals by rule (each trial counts once for each rule it breaks).
std::map<std::string, int64_t> refusals_by_rule(const std::vector<Trial>&);
// Feasible trials not dominated in (merit up, cost metric down), by cost; a network found again counts once.
std::vector<const Trial*> pareto_front(const std::vector<Trial>&, const std::string& objective,
                                       const std::string& cost_metric);

}  // namespace condenser::search
