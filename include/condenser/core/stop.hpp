#pragma once
// Ctrl-C and friends: a handler sets a flag, long loops look at it at step boundaries, save, and throw Stopped. Work
// that does not look in time is ended from outside, so that every verb answers within a second.

#include <cstdint>
#include <functional>

#include "condenser/core/error.hpp"

namespace condenser::core {

// SIGINT, SIGTERM, SIGHUP (unless it is ignored already: nohup), SIGUSR1, SIGUSR2. A second signal ends the process at
// once, with the exit code of the first. After the first, a process that is still there when kStopGrace has passed runs
// its AtForcedEnd actions and ends, unless a StopsItself lives.
void install_stop_handlers();
constexpr int kStopGraceMilliseconds = 700;

bool stop_requested();
ExitCode stop_code();           // Interrupted, Terminated, HungUp or Requeue; Ok when none was requested
void request_stop(int signal);  // as if it had arrived: another rank got it, or a test asks; 0 clears

// A named moment of the program: "stage:train", "train:step:7", "search:trial:3", or
// "write:train.json" between a whole temporary file and its new name. Tests stop the process exactly there:
// CONDENSER_TEST_STOP_AT=<signal>@<moment> raises KILL, INT, TERM, HUP, USR1 or STOP when the moment is reached.
// Without the variable it costs a comparison.
void reached(const char* kind, int64_t index);
void reached(const char* kind, const char* name);

// Thrown at a step boundary after state was saved.
class Stopped : public Error {
 public:
  explicit Stopped(const std::string& message) : Error(message, stop_code()) {}
};

// While one lives, its owner looks at the flag itself and has state to save: the process is not ended from outside by
// the first signal.
class StopsItself {
 public:
  StopsItself();
  ~StopsItself();
  StopsItself(const StopsItself&) = delete;
  StopsItself& operator=(const StopsItself&) = delete;
};

// What must be left in order when the process is ended from outside: children, temporary folders, a status. Runs in
// another thread while its owner's may still be at work; the latest first. Must not throw.
class AtForcedEnd {
 public:
  explicit AtForcedEnd(std::function<void()> action);
  ~AtForcedEnd();  // waits for the action if it runs
  AtForcedEnd(const AtForcedEnd&) = delete;
  AtForcedEnd& operator=(const AtForcedEnd&) = delete;

 private:
  int id_;
};

}  // namespace condenser::core
