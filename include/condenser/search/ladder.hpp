#pragma once
// Successive halving without waiting (Li et al. 2020, arXiv 1810.05934), for generators that know nothing of rungs: the
// best third of what a rung has finished goes on, as soon as it is known to be one. All is read from the past.

#include <memory>
#include <optional>
#include <vector>

#include "condenser/search/generator.hpp"

namespace condenser::search {

inline constexpr int kPromotedOneIn = 3;

struct Promotion {
  const Trial* trial = nullptr;  // of the rung below
  int rung = 0;                  // where it goes
  size_t place = 0, of = 0;      // 1: the best of `of` finished ones
};

// The best network that has earned a higher rung and was not promoted yet; higher rungs first. Networks that failed or
// do not pass the gate count as the worst and stay.
std::optional<Promotion> promotion(const StudyView&);

// How many candidates a budget of full examinations brings to each rung when a third of each goes on; a training goes
// on where it paused.
std::vector<double> candidates_on_rungs(const std::vector<double>& rungs, double budget);

// Of networks that may still go on to a higher rung: those that are examined now, and the better half of what stands on
// a lower rung. What the others have paused may be forgotten; should one go on after all, it begins again.
std::vector<core::Hash128> may_go_on(std::span<const Trial>, const Objective&, int rungs);

// Promotes where there is something to promote; else asks the generator, which sees the lowest rung alone, as if that
// were the full examination: there all networks can be compared. With one rung the generator is asked as it is.
std::unique_ptr<Generator> with_ladder(std::unique_ptr<Generator>);

}  // namespace condenser::search
