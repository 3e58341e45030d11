#pragma once
// Runs other programs: no shell, arguments as they are, output to a file, a time limit.

#include <filesystem>
#include <string>
#include <vector>

namespace condenser::verify {

struct ProcessResult {
  bool started = false;
  bool timed_out = false;
  int status = -1;     // exit status; 128 + signal number when killed
  std::string output;  // stdout and stderr together, at most the first 64 KiB
  bool ok() const { return started && !timed_out && status == 0; }
};

struct ProcessOptions {
  std::filesystem::path log;             // receives stdout and stderr; overwritten
  int timeout_seconds = 120;             // then the program and its children are killed
  std::vector<std::string> environment;  // "NAME=value", beside or instead of the inherited ones
};

// arguments[0] is looked up in PATH. Throws core::Stopped when a stop is asked for; the program is killed then.
ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions&);

// A new folder under the system's temporary folder, removed with everything in it at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();  // throws core::Error
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace condenser::verify
