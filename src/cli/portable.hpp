#pragma once
// train.portable: the same bits on every x86-64 processor.

#include <string>
#include <vector>

namespace condenser::cli {

// What libraries choose by processor is fixed by their environment, which they read when they are loaded. Starts this
// program again with it, in this process; returns at once when it is set already. `arguments`: the command line,
// program first.
void make_portable(const std::vector<std::string>& arguments);

}  // namespace condenser::cli
