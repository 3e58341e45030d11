#pragma once
// Deterministic stratified splits: a validation part cut from training data, fixed calibration subsets.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "condenser/data/dataset.hpp"

namespace condenser::data {

struct TwoWay {
  std::vector<int64_t> first, second;  // ascending indices, disjoint, together everything
};

// Puts round(fraction of each class) items into `second`, chosen by `seed`. Every class with at least two items keeps
// one on each side.
TwoWay stratified_split(const Dataset&, double fraction, uint64_t seed);

// Moves items until copies of one another (files of the same bytes, or equal values of items in memory) are on one
// side: `first`, unless a class or the whole of `second` would be left with nothing that it had. `parts` must hold all
// items. Only where all items are copies of one are they left on both sides.
void keep_copies_together(const Dataset&, TwoWay&);

// The items of `others` that are copies of one of `dataset`, ascending.
std::vector<int64_t> copies_in(const Dataset& dataset, const Dataset& others);

// `count` items, as equal per class as possible, chosen by `seed`; ascending. count >= size gives all.
std::vector<int64_t> stratified_subset(const Dataset&, int64_t count, uint64_t seed);

// By class; an item of several classes counts for each of them, one without a class for none.
std::vector<int64_t> items_per_class(const Dataset&);

}  // namespace condenser::data
