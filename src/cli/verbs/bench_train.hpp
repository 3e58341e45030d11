#pragma once
// `condenser bench train`.

#include "cli/invocation.hpp"

namespace condenser::cli {

int bench_train(const Invocation&);

}  // namespace condenser::cli
