// Signal handlers that only set lock-free flags. Saving state and leaving is up to the loops that look at them.

#include "condenser/core/stop.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace condenser::core {
namespace {

// Process-wide by nature: a signal reaches the process, not an object.
std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not take locks");
std::atomic<bool> interrupted{false};

void handle(int signal) {
  if (signal == SIGINT && interrupted.exchange(true)) ::_exit(static_cast<int>(ExitCode::Interrupted));
  int none = 0;
  stop_signal.compare_exchange_strong(none, signal);  // the first signal decides the exit code
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;  // libraries do not expect EINTR
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2})
    if (sigaction(signal, &action, nullptr) != 0)
      throw Error(std::string("cannot install a signal handler: ") + std::strerror(errno));
}

bool stop_requested() { return stop_signal.load(std::memory_order_relaxed) != 0; }

ExitCode stop_code() {
  switch (stop_signal.load()) {
    case 0: return ExitCode::Ok;
    case SIGINT: return ExitCode::Interrupted;
    case SIGUSR1:
    case SIGUSR2: return ExitCode::Requeue;
    default: return ExitCode::Terminated;
  }
}

void request_stop(int signal) {
  stop_signal = signal;
  interrupted = signal == SIGINT;
}

}  // namespace condenser::core
