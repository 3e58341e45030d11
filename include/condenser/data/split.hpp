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

// Moves items whose files are the same (in size and last 4 KiB) to `first`, unless all copies are in `second`, so that
// none is on both sides. Does nothing for items that are no files.
void keep_copies_together(const Dataset&, TwoWay&);

// `count` items, as equal per class as possible, chosen by `seed`; ascending. count >= size gives all.
std::vector<int64_t> stratified_subset(const Dataset&, int64_t count, uint64_t seed);

// By class; an item of several classes counts for each of them, one without a class for none.
std::vector<int64_t> items_per_class(const Dataset&);

}  // namespace condenser::data
