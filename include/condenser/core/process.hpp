#pragma once
// Other programs: arguments as they are (no shell), output captured or shared, a time limit, and an end that takes the
// children of the program with it.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace condenser::core {

// Of this machine, for people and to tell workers apart.
std::string host_name();

// What runs now, as a ProcessOptions::program.
constexpr const char* kThisProgram = "/proc/self/exe";

constexpr int kChannel = 3;

enum class Stream { Captured, Inherited, WithOut };  // WithOut: errors lie in the output, in the order of writing

struct ProcessOptions {
  std::filesystem::path folder = {};          // where the program runs; empty: where this one does
  std::vector<std::string> environment = {};  // "NAME=value", beside or instead of the inherited ones
  std::optional<std::string> input = "";      // all that it can read; absent: it reads what this program reads
  Stream out = Stream::Captured;              // Captured or Inherited
  Stream err = Stream::WithOut;
  std::chrono::milliseconds time_limit{0};  // from its start; 0: none
  std::filesystem::path program = {};       // what is started; empty: arguments[0], looked up in PATH
  int channel = -1;                         // a descriptor of this process that the program gets as kChannel; -1: none
};

struct ProcessResult {
  enum class End { NotStarted, Exited, Signal, TimeLimit, OutputLimit };
  End end = End::NotStarted;
  int code = 0;          // Exited: the exit code; NotStarted: 0; otherwise the number of the signal that ended it
  std::string out, err;  // what was captured; NotStarted: err says why
  bool ok() const { return end == End::Exited && code == 0; }
  int status() const { return end == End::NotStarted ? 127 : end == End::Exited ? code : 128 + code; }  // as of a shell
};

// A running program. It leads a process group of its own; signals of a terminal do not reach it, and it gets SIGTERM
// when the thread that started it ends. One thread uses a Process at a time.
class Process {
 public:
  // Captured output of more than this ends the program.
  static constexpr int64_t kMostOutput = int64_t{64} << 20;

  // Throws core::Error when the program cannot be started: not found, not executable, no such folder.
  explicit Process(std::vector<std::string> arguments, ProcessOptions = {});
  ~Process();  // kills the group, if it still runs
  Process(Process&&) noexcept;
  Process& operator=(Process&&) = delete;

  pid_t pid() const { return pid_; }
  bool running();               // kills the group when a limit is passed
  void send(int signal) const;  // to the program alone; nothing when running() or wait() has seen its end
  void kill_group();            // and waits for the program

  // Waits for its end, kills the group at a limit. When core::stop_requested(), kills the group and throws
  // core::Stopped.
  ProcessResult wait();
  // What was captured until now, and how it ended, if it did.
  ProcessResult result() const;

 private:
  bool reap(int flags);
  std::optional<ProcessResult::End> passed_limit() const;

  std::string name_;
  std::chrono::steady_clock::time_point limit_;
  int out_ = -1, err_ = -1;  // unnamed files in memory: no amount of output can block the program
  pid_t pid_ = 0;
  bool ended_ = false;
  ProcessResult::End end_ = ProcessResult::End::Exited;
  int code_ = 0;
};

// Starts, waits, says how it went; a program that cannot be started is a result, too.
ProcessResult run_process(std::vector<std::string> arguments, ProcessOptions = {});

// This program starts again in its own place, with these arguments (arguments[0] is its name) and the environment of
// now. Comes back only as a core::Error.
[[noreturn]] void start_again(std::vector<std::string> arguments);

}  // namespace condenser::core
