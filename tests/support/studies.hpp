#pragma once
// A study in every kind of store, for suites that loop over them.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "condenser/search/store.hpp"

namespace condenser::tests {

class Study {
 public:
  virtual ~Study() = default;
  // A handle more on the study; of a study in memory always the same.
  virtual std::shared_ptr<search::Store> open(search::StoreMode = search::StoreMode::Join) = 0;
  // Behind the back of the store. Studies in memory have no statements.
  virtual void execute(const std::string& statement) = 0;
};

struct StudyMaker {
  std::string name;
  bool lasting;  // outlives a process, and processes share it
  std::function<std::unique_ptr<Study>()> make;
};
// Those that this machine can make: PostgreSQL where a server can be started.
const std::vector<StudyMaker>& study_makers();

// With something in every field, the same for the same numbers; states and copies alternate.
search::Trial a_trial(int64_t index, uint64_t seed = 1);
// Proposed, with nothing found yet.
search::Trial a_proposal(int64_t index);

// Equal to the bit in everything that a store keeps.
bool same(const search::Trial&, const search::Trial&);
bool same(const std::vector<search::Trial>&, const std::vector<search::Trial>&);

}  // namespace condenser::tests
