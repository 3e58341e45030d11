#pragma once
// Random changes of a training batch, in place, on the thread that prepares it. A pure function of (options, seed,
// batch), so that a resumed run sees the same images.

#include "condenser/data/loader.hpp"
#include "condenser/train/augment_options.hpp"

namespace condenser::train {

// x: [size, c, h, w], normalized as the data set says. Row i draws from a stream of (seed, position of the batch,
// first + i), so that processes that share a global batch draw what one would. Rows i and size - 1 - i are mixed with
// each other, and t [size, classes] then holds the shares (made from y when it was empty); y keeps each row's own
// class. Throws core::ConfigError when an option does not fit the shape.
void augment(const AugmentOptions&, const data::Dataset&, uint64_t seed, data::Batch&);

}  // namespace condenser::train
