#include "condenser/core/process.hpp"

#include <signal.h>

#include <thread>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "support/catch.hpp"

namespace condenser::core {
namespace {

using End = ProcessResult::End;
using std::chrono::milliseconds;

// True while any process of this group lives; a dead one that nobody has waited for counts, so look again for a while.
bool group_lives(pid_t group) {
  for (int i = 0; i < 500 && kill(-group, 0) == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
  return kill(-group, 0) == 0;
}

}  // namespace

TEST_CASE("a program says how it ended", "[core]") {
  const ProcessResult three = run_process({"sh", "-c", "exit 3"});
  CHECK(three.end == End::Exited);
  CHECK(three.code == 3);
  CHECK(three.status() == 3);
  CHECK_FALSE(three.ok());
  CHECK(run_process({"true"}).ok());
  const ProcessResult killed = run_process({"sh", "-c", "kill -9 $$"});
  CHECK(killed.end == End::Signal);
  CHECK(killed.code == SIGKILL);
  CHECK(killed.status() == 137);
  CHECK_FALSE(killed.ok());
}

TEST_CASE("a program that is not there, or a folder, is named", "[core]") {
  CHECK_THROWS_WITH(Process({"no_such_program_anywhere"}),
                    Catch::Contains("cannot start no_such_program_anywhere: No such file"));
  CHECK_THROWS_WITH(Process({"true"}, {.folder = "/no/such/folder"}),
                    Catch::Contains("cannot start true in /no/such/folder: No such file"));
  const ProcessResult missing = run_process({"no_such_program_anywhere"});
  CHECK(missing.end == End::NotStarted);
  CHECK(missing.status() == 127);
  CHECK_THAT(missing.err, Catch::Contains("no_such_program_anywhere"));
  CHECK_FALSE(missing.ok());
}

TEST_CASE("arguments, folder and environment arrive as they are", "[core]") {
  const TemporaryFolder folder;
  CHECK(run_process({"echo", "$HOME; `ls` 'x y'", ""}).out == "$HOME; `ls` 'x y' \n");
  CHECK(run_process({"pwd"}, {.folder = folder.path()}).out ==
        std::filesystem::canonical(folder.path()).string() + "\n");
  const ProcessOptions options{.environment = {"CONDENSER_A=yes", "HOME=/x"}};
  CHECK(run_process({"sh", "-c", "printf %s $CONDENSER_A$HOME"}, options).out == "yes/x");
  CHECK(run_process({"sh", "-c", "printf %s ${PATH:+path}"}, options).out == "path");
  CHECK(run_process({"a name"}, {.program = "/bin/echo"}).out == "\n");
}

TEST_CASE("input and both outputs may be larger than a pipe", "[core]") {
  const std::string large(1 << 20, 'x');
  CHECK(run_process({"cat"}, {.input = large}).out == large);
  CHECK(run_process({"cat"}).out.empty());
  const ProcessOptions apart{.err = Stream::Captured};
  const std::vector<std::string> both = {"sh", "-c",
                                         "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; echo end"};
  const ProcessResult two = run_process(both, apart);
  CHECK(two.out.size() == 300004);
  CHECK(two.err.size() == 200000);
  CHECK(run_process(both).out.size() == 500004);
  CHECK(run_process({"sh", "-c", "echo a; echo b >&2; echo c"}).out == "a\nb\nc\n");
}

TEST_CASE("a program that does not stop writing is ended", "[core]") {
  const ProcessResult endless = run_process({"cat", "/dev/zero"}, {.time_limit = std::chrono::minutes(5)});
  CHECK(endless.end == End::OutputLimit);
  CHECK(std::ssize(endless.out) == Process::kMostOutput);
}

TEST_CASE("a time limit ends the program and its children", "[core]") {
  Process process({"sh", "-c", "sleep 600 & sleep 600"}, {.time_limit = milliseconds(50)});
  const ProcessResult result = process.wait();
  CHECK(result.end == End::TimeLimit);
  CHECK(result.status() == 137);
  CHECK_FALSE(group_lives(process.pid()));
}

TEST_CASE("a stop ends the program and its children while it runs", "[core]") {
  Process process({"sh", "-c", "sleep 600 & sleep 600"});
  REQUIRE(process.running());
  request_stop(SIGINT);
  CHECK_THROWS_AS(process.wait(), Stopped);
  request_stop(0);
  CHECK_FALSE(process.running());
  CHECK_FALSE(group_lives(process.pid()));
}

TEST_CASE("who forgets a program ends it", "[core]") {
  pid_t pid = 0;
  {
    const Process process({"sh", "-c", "sleep 600 & sleep 600"});
    Process moved(Process({"sleep", "600"}));
    CHECK(moved.running());
    pid = process.pid();
  }
  CHECK_FALSE(group_lives(pid));
}

TEST_CASE("a program gets signals and their usual meaning", "[core]") {
  signal(SIGPIPE, SIG_IGN);
  Process process({"sleep", "600"});
  process.send(SIGTERM);
  const ProcessResult result = process.wait();
  CHECK(result.end == End::Signal);
  CHECK(result.code == SIGTERM);
  process.send(SIGTERM);  // to nobody
  // `yes` ends by SIGPIPE; it would write an error if that were ignored.
  CHECK(run_process({"sh", "-c", "yes | head -n 1"}).out == "y\n");
}

TEST_CASE("what a program wrote can be seen while it runs", "[core]") {
  Process process({"sh", "-c", "echo early; sleep 600"});
  while (process.running() && process.result().out.empty()) std::this_thread::sleep_for(milliseconds(1));
  CHECK(process.result().out == "early\n");
}

TEST_CASE("a temporary folder goes away with its content", "[core]") {
  std::filesystem::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    write_atomic(path / "a/b", "x");
    CHECK(std::filesystem::exists(path / "a/b"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

}  // namespace condenser::core
