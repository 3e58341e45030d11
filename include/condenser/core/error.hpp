#pragma once
// Errors of the whole program. A message says where, what was found, what was expected, what to try.
// Subclasses exist only where some caller really reacts differently; the exit code travels with the error.

#include <stdexcept>
#include <string>

namespace condenser::core {

// Exit codes of the binary; stable, scripts depend on them.
enum class ExitCode {
  Ok = 0,
  RunFailed = 1,
  Usage = 2,           // command line or configuration
  NoFeasible = 3,      // the search ended without a candidate that passes the gate
  VerifyMismatch = 4,  // exported code and framework disagree
  Locked = 5,          // another living process owns the run folder
  Int8Loss = 7,        // int8 falls further behind float than quantize.max_loss
  Requeue = 75,        // SIGUSR1 / SIGUSR2: please run again
  HungUp = 129,        // SIGHUP
  Interrupted = 130,   // SIGINT
  Terminated = 143,    // SIGTERM
};

// Always one line: names and paths from outside may hold line breaks, what is shown and logged may not
// (core::printable).
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::RunFailed);
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// "file:line: key = value; expected ..." Exit code Usage.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(message, ExitCode::Usage) {}
};

}  // namespace condenser::core
