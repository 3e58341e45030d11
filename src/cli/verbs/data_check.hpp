#pragma once
// `condenser data check`.

#include "cli/run_config.hpp"

namespace condenser::cli {

int data_check(const RunConfig&,
               const std::string& format);  // exit code 1 when items are unreadable or lie in two splits

}  // namespace condenser::cli
