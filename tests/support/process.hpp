#pragma once
// Runs a program and captures what it says; kills it for real when a test asks for that.

#include <signal.h>
#include <sys/wait.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"

namespace condenser::tests {

struct Finished {
  int code = -1;  // exit code, or 128 + signal
  std::string out, err;
};

inline std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A folder of its own for one test, removed at the end.
class TempFolder : public core::TemporaryFolder {
 public:
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream(path() / name, std::ios::binary) << text;
    return (path() / name).string();
  }
};

class Process {
 public:
  // Starts `arguments` in `folder`; `file_limit` > 0 bounds the size of written files (a full disk for every write
  // beyond it).
  Process(std::vector<std::string> arguments, const std::filesystem::path& folder, int64_t file_limit = 0)
      : process_(file_limit > 0 ? limited(std::move(arguments), file_limit) : std::move(arguments),
                 {.folder = folder, .input = std::nullopt, .err = core::Stream::Captured}) {}

  Finished wait() {
    const core::ProcessResult result = process_.wait();
    return {result.status(), result.out, result.err};
  }
  // Waits until a signal has stopped it (SIGSTOP at a named moment); false when it ended instead.
  bool wait_until_stopped() {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid()), &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
           info.si_code == CLD_STOPPED;
  }
  bool running() { return process_.running(); }
  pid_t pid() const { return process_.pid(); }
  void send(int signal_number) { process_.send(signal_number); }
  void kill_now() {
    send(SIGKILL);
    wait();
  }
  std::string err_so_far() const { return process_.result().err; }

 private:
  static std::vector<std::string> limited(std::vector<std::string> arguments, int64_t bytes) {
    arguments.insert(arguments.begin(), {"env", "--ignore-signal=XFSZ", "prlimit", "--fsize=" + std::to_string(bytes)});
    return arguments;
  }
  core::Process process_;
};

inline Finished run(std::vector<std::string> arguments, const std::filesystem::path& folder, int64_t file_limit = 0) {
  return Process(std::move(arguments), folder, file_limit).wait();
}

// `arguments` with a signal raised at a named moment of the program, e.g. "KILL@train:step:7" (core/stop.hpp).
inline std::vector<std::string> stopping_at(const std::string& moment, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"env", "CONDENSER_TEST_STOP_AT=" + moment});
  return arguments;
}

// The condenser binary of this build.
inline Finished run_condenser(std::vector<std::string> arguments,
                              const std::filesystem::path& folder = CONDENSER_SOURCE_DIR) {
  arguments.insert(arguments.begin(), CONDENSER_BINARY);
  return run(std::move(arguments), folder);
}

}  // namespace condenser::tests
