#pragma once
// The training loop.

#include "condenser/train/backend.hpp"

namespace condenser::train {

class Group;

// `group`: this process trains together with others, which make the same call; null: alone.
FitResult fit(const FitRequest&, Group* group = nullptr);

// 0: all cores.
void use_threads(int threads);

}  // namespace condenser::train
