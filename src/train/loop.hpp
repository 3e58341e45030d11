#pragma once
// The training loop.

#include "condenser/train/backend.hpp"

namespace condenser::train {

FitResult fit(const FitRequest&);

// 0: all cores.
void use_threads(int threads);

}  // namespace condenser::train
