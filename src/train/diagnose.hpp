#pragma once
// Where a number first went wrong.

#include "condenser/nn/spec_net.hpp"
#include "train/learner.hpp"

namespace condenser::train {

// The first thing that is not finite when the rows go through the network, node by node in training mode: the input, a
// parameter, or the output of a node; "the loss" when all are. For messages.
std::string first_non_finite(const arch::Spec&, const arch::Weights&, const Rows&);

}  // namespace condenser::train
