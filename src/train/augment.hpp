#pragma once
// Random changes of a training batch, in place. A pure function of (seed, step), so that a resumed run sees the same
// images.

#include <cstdint>
#include <span>

#include "condenser/data/dataset.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

// batch: [n, c, h, w], normalized. Shifted-in pixels get the value of a zero pixel, cut-out ones the mean.
void augment(const AugmentOptions&, const data::ItemShape&, const data::Normalization&, uint64_t seed, int64_t step,
             std::span<float> batch);

}  // namespace condenser::train
