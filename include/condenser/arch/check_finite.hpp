#pragma once
// Weights that went wrong in training or on the way must not give answers.

#include "condenser/arch/weights.hpp"

namespace condenser::arch {

// Throws core::Error naming the first float tensor with a value that is not finite; `what` holds them, a file say.
void check_finite(const Weights&, const std::string& what);

}  // namespace condenser::arch
