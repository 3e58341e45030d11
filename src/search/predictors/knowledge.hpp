#pragma once
// What a past says of networks: one value each, whatever was asked of it and how often.

#include <span>
#include <vector>

#include "condenser/search/generator.hpp"
#include "search/features/catalogue.hpp"
#include "search/predictors/curves.hpp"

namespace condenser::search {

// What a proposal looks at where nothing else is said.
inline constexpr int kMostMeasured = 256;       // networks
inline constexpr int kMostEnumerated = 20'000;  // genotypes of a space that is looked at whole

struct Measured {
  Catalogue::Member member;
  int64_t trial = -1;  // of the highest rung
  int rung = 0;        // the highest that was examined
  bool failed = false;
  double value = 0;  // higher is better, on the scale of the lowest rung; a failure's is that of the worst
  double noise = 1;  // how much of a measurement's noise it has
};

struct Knowledge {
  std::vector<Measured> measured;    // by trial; of a long past the best and the latest
  std::vector<core::Hash128> taken;  // all networks, ascending: none needs to be proposed at the lowest rung
  std::vector<double> spent;         // per rung, in full examinations; a training goes on where it paused
  Curves curves;                     // from the lowest rung on
  std::vector<double> values() const;
};

// At most `most` networks, half of them the best, the others the latest.
// Higher rungs count more: what networks were worth at a lower rung is dealt out anew in the order of the higher one.
// So values of several rungs are on one scale without any assumption on how the rungs relate.
Knowledge knowledge_of(const Question&, size_t most);

// Places of values, the highest first; equal ones in their order.
std::vector<size_t> best_first(std::span<const double> values);
// Of at most `most` values: half of them the best, the others the latest; ascending.
std::vector<size_t> best_and_latest(std::span<const double> values, size_t most);

}  // namespace condenser::search
