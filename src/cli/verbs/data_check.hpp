#pragma once
// `condenser data check`.

#include "cli/invocation.hpp"

namespace condenser::cli {

int data_check(const Invocation&);  // exit code 1 when items are unreadable or lie in two splits

}  // namespace condenser::cli
