#include "condenser/core/log.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <regex>
#include <string>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "core/scratch.hpp"
#include "support/catch.hpp"

using namespace condenser::core;

namespace {

// What a forked process writes to stderr when stderr is `write_end`; reads from `read_end`.
template <class Child>
std::string stderr_of(int read_end, int write_end, Child child) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(write_end, STDERR_FILENO);
    child();
    ::_exit(0);
  }
  ::close(write_end);
  std::string text;
  char buffer[512];
  for (ssize_t got; (got = ::read(read_end, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(got));
  ::close(read_end);
  ::waitpid(pid, nullptr, 0);
  return text;
}

template <class Child>
std::string through_pipe(Child child) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  return stderr_of(ends[0], ends[1], child);
}

template <class Child>
std::string through_terminal(Child child) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(::grantpt(master) == 0);
  REQUIRE(::unlockpt(master) == 0);
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  REQUIRE(slave >= 0);
  return stderr_of(master, slave, child);
}

void all_levels() {
  log::debug("d");
  log::info("i {} %s");
  log::warning("w");
  log::error("e");
}

}  // namespace

TEST_CASE("stderr gets plain information and prefixed problems", "[core]") {
  CHECK(through_pipe(all_levels) == "i {} %s\nwarning: w\nerror: e\n");
  CHECK(through_pipe([] {
          log::set_level(log::Level::Debug);
          all_levels();
        }) == "debug: d\ni {} %s\nwarning: w\nerror: e\n");
  CHECK(through_pipe([] {
          log::set_level(log::Level::Error);
          all_levels();
        }) == "error: e\n");
  CHECK(through_pipe([] {
          log::set_level(log::Level::Off);
          all_levels();
        }) == "");
}

TEST_CASE("Colours are for terminals whose users want them", "[core]") {
  const auto warn = [] { log::warning("w"); };
  CHECK(through_terminal([&] {
          ::unsetenv("NO_COLOR");
          ::setenv("TERM", "xterm", 1);
          warn();
        }) == "\033[1;33mwarning:\033[0m w\r\n");
  CHECK(through_terminal([&] {
          ::setenv("NO_COLOR", "1", 1);
          warn();
        }) == "warning: w\r\n");
  CHECK(through_pipe([&] {
          ::unsetenv("NO_COLOR");
          ::setenv("TERM", "xterm", 1);
          warn();
        }) == "warning: w\n");
}

TEST_CASE("The log file has time and level and is appended to", "[core]") {
  Scratch scratch;
  write_atomic(scratch / "log.txt", "earlier\n");
  through_pipe([&] {
    log::set_file(scratch / "log.txt");
    all_levels();
    log::set_file("");
    log::info("closed");
  });
  const std::string text = read_file(scratch / "log.txt");
  const std::string stamp = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d )";
  CHECK(std::regex_match(
      text, std::regex("earlier\n" + stamp + "info: i \\{\\} %s\n" + stamp + "warning: w\n" + stamp + "error: e\n")));
}

TEST_CASE("A log file that cannot be opened is an error, one that fills up is a warning", "[core]") {
  Scratch scratch;
  CHECK_THROWS_AS(log::set_file(scratch.path()), Error);  // a folder
  const std::string text = through_pipe([] {
    log::set_file("/dev/full");
    log::info("one");
    log::info("two");
  });
  CHECK(std::regex_match(text, std::regex("one\nwarning: the log file is closed: .*\ntwo\n")));
}
