#pragma once
// `--nproc N`: several ranks of one command on this machine.

#include <string>
#include <vector>

namespace condenser::cli {

// Starts `count` processes of this program with the same arguments, passes stop signals on to them, and waits. When one
// fails, says which and ends the others within seconds. Returns the exit code of the first that failed (1 when a signal
// ended it), 0 when none did.
int launch_ranks(int count, const std::vector<std::string>& arguments);

}  // namespace condenser::cli
