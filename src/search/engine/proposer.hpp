#pragma once
// Who is next: the proposal of trial k, a function of the seed, k and the trials that k may see.

#include <optional>

#include "condenser/search/lesson.hpp"
#include "search/engine/history.hpp"
#include "search/features/catalogue.hpp"

namespace condenser::search {

// A trial that has not met the gate. Throws core::Error for a proposal that is not legal.
Trial trial_of(Proposal, int64_t index, const SearchContext&);

class Proposer {
 public:
  // What the study has learned from others is read from its store.
  Proposer(const SearchContext&, const SearchOptions&, const Catalogue&);

  // Trials from here to `index` are not known to its proposal.
  int64_t first_hidden(int64_t index) const;
  // `trials` holds all below index, those below first_hidden(index) finished. Throws core::Error for a proposal that is
  // not legal.
  Trial propose(int64_t index, const std::vector<Trial>& trials) const;

 private:
  bool is_prototype(int64_t index) const;
  Proposal prototype(int64_t index) const;

  const SearchContext& c_;
  const SearchOptions& o_;
  const Catalogue& catalogue_;
  std::optional<Lesson> lesson_;
};

}  // namespace condenser::search
