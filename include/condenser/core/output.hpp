#pragma once
// Standard output as a file that can be full, closed or a pipe without a reader: every byte arrives, or an error says
// so.

#include <string_view>

namespace condenser::core {

// To be called first: a process that was started with a standard stream closed would give that number to the next file
// it opens, and write its table into it. A pipe without a reader becomes an error of the write instead of a signal.
void prepare_standard_streams();

// Writes the whole text. Throws Error naming standard output and the system's reason.
void write_output(std::string_view text);

}  // namespace condenser::core
