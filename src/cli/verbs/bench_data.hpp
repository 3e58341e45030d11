#pragma once
// `condenser bench data`.

#include "cli/invocation.hpp"

namespace condenser::cli {

int bench_data(const Invocation&);

}  // namespace condenser::cli
