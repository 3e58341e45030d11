#pragma once
// What became of a trial and why, and where its network stands now.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "condenser/search/study.hpp"

namespace condenser::search {

struct Fate {
  // kept: examined in full, passes the gate; dropped: examined in part, and did not go on; went on: it did;
  // infeasible: examined, breaks a bound of the gate; unmeasured: without a value of the objective; and refused,
  // failed, copy, waits, running.
  std::string kind;
  std::string text;    // a sentence without its end
  int64_t other = -1;  // the trial it is a copy of, went on as, or is dominated by
  int64_t place = 0;   // by the (first) goal, from 1, among those of the same fidelity that pass the gate; 0: has none
  int64_t among = 0;   // so many
  bool on_front = false;  // of all goals, or of the one goal and the cost
};

// Of all trials of a study, which have to outlive it. `cost`: a metric that is known of every design ("params").
class Fates {
 public:
  Fates(const std::vector<Trial>& trials, Objective objective, std::string cost = "params");
  Fate of(const Trial&) const;

 private:
  struct Network {
    core::Hash128 hash;
    int rung;
    auto operator<=>(const Network& other) const = default;
  };
  Fate of_examined(const Trial&) const;
  Fate of_part(const Trial&, Fate) const;
  Fate of_whole(const Trial&, Fate) const;
  const Trial* next_of(const Trial&) const;
  const Trial* dominating(const Trial&) const;
  std::string front_text() const;
  std::vector<double> qualities(const Trial&) const;

  const std::vector<Trial>& trials_;
  const Objective objective_;
  const std::string cost_;
  std::map<int, std::vector<const Trial*>> ranked_;  // by rung: feasible, no copies, the best first
  std::map<int64_t, int64_t> place_;                 // by trial
  std::set<int64_t> on_front_;
  std::vector<const Trial*> front_;
  std::map<Network, int64_t> trial_of_;  // the first
  int last_rung_ = 0;
};

// Of every verdict that did not pass, printable; "": all did.
std::string broken_text(const Trial&);
// "pool", "ana (from outside)", "the generator"; printable.
std::string proposer_of(const Trial&);
std::string worker_text(const std::string& worker);  // "ana (from outside)"; printable
// "97.10 % (96.20 to 98.00), expected gain 0.12", in the goal's unit.
std::string text_of(const Forecast&, const Goal&);

}  // namespace condenser::search
