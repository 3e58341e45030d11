#pragma once
// Random changes of a training batch, in place. A pure function of (seed, step), so that a resumed run sees the same
// images.

#include <cstdint>

#include "condenser/data/loader.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

// Items are those of the data set, normalized. Shifted-in pixels get the value of a zero pixel, cut-out ones the mean.
void augment(const AugmentOptions&, const data::Dataset&, uint64_t seed, int64_t step, data::Batch&);

}  // namespace condenser::train
