#pragma once
// Cross-layer equalization: what one layer multiplies a channel by, the next divides it by, so that channels come to
// equal ranges and one scale serves them all. Nagel et al. 2019, arXiv 1906.04721, section 4.1.

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::quant {

// Rescales the weights of a lowered network in place; its outputs stay the same up to float rounding. Of a pair of
// convolutions or linears where nothing else reads what lies between, and that is ReLU at most (a ReLU6, SiLU or
// product does not commute with a factor), pooling or up-sampling. Returns how many pairs there are.
int equalize(const arch::Spec& lowered, arch::Weights& weights);

}  // namespace condenser::quant
