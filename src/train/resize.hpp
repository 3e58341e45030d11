#pragma once
// Progressive resizing: early epochs see smaller pictures and so a cheaper network of the same parameters.

#include "condenser/arch/spec.hpp"
#include "condenser/data/loader.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

// Input of the network in an epoch: the shorter side is the phase's size, the longer one in proportion.
arch::Shape input_in_epoch(const ResizeOptions&, const arch::Shape& full, int64_t epoch);

// The input whose shorter side is `side`, the longer one in proportion.
arch::Shape input_of_size(const arch::Shape& full, int side);

// The spec with another input. Throws ConfigError when it does not work at that size or its parameters differ.
arch::Spec at_input(const arch::Spec&, const arch::Shape& input);

// Shrinks every plane of the batch: an output pixel is the mean over the area it covers.
void shrink(data::Batch&, const arch::Shape& from, const arch::Shape& to);

}  // namespace condenser::train
