#pragma once
// Ctrl-C and friends: a handler sets a flag, long loops look at it at step boundaries, save, and throw Stopped.

#include "condenser/core/error.hpp"

namespace condenser::core {

void install_stop_handlers();  // SIGINT, SIGTERM, SIGUSR1, SIGUSR2. A second SIGINT ends the process at once.
bool stop_requested();
ExitCode stop_code();           // Interrupted, Terminated or Requeue; Ok when none was requested
void request_stop(int signal);  // as if it had arrived: another rank got it, or a test asks; 0 clears

// Thrown at a step boundary after state was saved.
class Stopped : public Error {
 public:
  explicit Stopped(const std::string& message) : Error(message, stop_code()) {}
};

}  // namespace condenser::core
