#include "condenser/core/stop.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"

using namespace condenser::core;

namespace {

// The exit status (the stop code, or 9 for none) of a process that installs the handlers and sends itself `signals`.
int after(std::initializer_list<int> signals) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    install_stop_handlers();
    for (int signal : signals) ::raise(signal);
    ::_exit(stop_requested() ? static_cast<int>(stop_code()) : 9);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("Signals ask for a stop with their exit code", "[core]") {
  CHECK(after({}) == 9);
  CHECK(after({SIGINT}) == 130);
  CHECK(after({SIGTERM}) == 143);
  CHECK(after({SIGUSR1}) == 75);
  CHECK(after({SIGUSR2}) == 75);
  CHECK(after({SIGUSR1, SIGTERM}) == 75);  // the first one decides
  CHECK(after({SIGTERM, SIGINT}) == 143);  // one Ctrl-C is a request, also after a SIGTERM
}

TEST_CASE("A second interrupt ends the process at once", "[core]") {
  CHECK(after({SIGTERM, SIGINT, SIGINT}) == 130);  // 143 would mean that it went on
}

TEST_CASE("A stop can be requested and cleared by tests", "[core]") {
  request_stop(0);
  CHECK_FALSE(stop_requested());
  CHECK(stop_code() == ExitCode::Ok);
  request_stop(SIGINT);
  CHECK(stop_requested());
  CHECK(Stopped("saved").code() == ExitCode::Interrupted);
  request_stop(SIGTERM);
  CHECK(Stopped("saved").code() == ExitCode::Terminated);
  request_stop(0);
  CHECK_FALSE(stop_requested());
}
