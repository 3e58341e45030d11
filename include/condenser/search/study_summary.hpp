#pragma once
// A study in figures, from its trials and events alone.

#include <map>
#include <string>
#include <vector>

#include "condenser/search/study.hpp"

namespace condenser::search {

struct StudySummary {
  int64_t trials = 0;
  // Each trial counts in one of these.
  int64_t feasible = 0, infeasible = 0, refused = 0, failed = 0, copies = 0, waiting = 0, running = 0;
  int64_t outside = 0, imported = 0;  // of them: proposed by people and other programs; known from elsewhere
  double spent = 0;                   // in full examinations, running ones too; without imports
  double seconds = 0;                 // of examination, as above
  bool stopped = false;               // told to
  std::string budget;                 // the event that told of the end of one; "": none

  struct Worker {
    int64_t finished = 0, lost = 0;  // trials; that others took from it
    double seconds = 0;
    std::vector<int64_t> running;
  };
  std::map<std::string, Worker> workers;
  struct Rung {
    double fidelity = 1;
    int64_t examined = 0, open = 0, went_on = 0;
  };
  std::map<int, Rung> rungs;
  std::map<std::string, int64_t> proposers;  // by `by`
};
StudySummary summary_of(const std::vector<Trial>&, const std::vector<Event>&);

}  // namespace condenser::search
