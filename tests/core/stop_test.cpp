#include "condenser/core/stop.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser::core;
using condenser::tests::slurp;
using condenser::tests::TempFolder;

namespace {

template <class Work>
int in_child(Work work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The exit status (the stop code, or 9 for none) of a process that installs the handlers and sends itself `signals`;
// `afterwards` in place of the stop code when it gets that far.
int after(std::initializer_list<int> signals, int afterwards = 0) {
  return in_child([&] {
    install_stop_handlers();
    for (int signal : signals) ::raise(signal);
    ::_exit(afterwards ? afterwards : stop_requested() ? static_cast<int>(stop_code()) : 9);
  });
}

}  // namespace

TEST_CASE("Signals ask for a stop with their exit code", "[core]") {
  CHECK(after({}) == 9);
  CHECK(after({SIGINT}) == 130);
  CHECK(after({SIGTERM}) == 143);
  CHECK(after({SIGUSR1}) == 75);
  CHECK(after({SIGUSR2}) == 75);
  CHECK(after({SIGHUP}) == 129);
}

TEST_CASE("A second signal ends the process at once, with the code of the first", "[core]") {
  for (const int second : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    CHECK(after({SIGINT, second}, 9) == 130);  // 9 would mean that it went on
    CHECK(after({SIGTERM, second}, 9) == 143);
    CHECK(after({SIGUSR1, second}, 9) == 75);
  }
}

TEST_CASE("Work that does not look at the flag is ended from outside, in order", "[core]") {
  const TempFolder folder;
  const std::string log = (folder / "log").string();
  const int code = in_child([&] {
    install_stop_handlers();
    const auto note = [&log](const char* text) { std::ofstream(log, std::ios::app) << text; };
    const AtForcedEnd first([&] { note("first "); });
    const AtForcedEnd second([&] { note("second "); });
    {
      const AtForcedEnd gone([&] { note("gone "); });
    }
    ::raise(SIGTERM);
    while (true) ::pause();
  });
  CHECK(code == 143);
  CHECK(slurp(log) == "second first ");
}

TEST_CASE("Work that stops by itself is left the time to save", "[core]") {
  const int code = in_child([] {
    install_stop_handlers();
    const StopsItself saving;
    ::raise(SIGINT);
    ::usleep(3'000 * kStopGraceMilliseconds);
    ::_exit(7);
  });
  CHECK(code == 7);
}

TEST_CASE("A hang-up that is ignored from the start stays ignored", "[core]") {
  const int code = in_child([] {
    ::signal(SIGHUP, SIG_IGN);
    install_stop_handlers();
    ::raise(SIGHUP);
    ::_exit(stop_requested() ? 1 : 9);
  });
  CHECK(code == 9);
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
