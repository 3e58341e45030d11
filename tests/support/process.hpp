#pragma once
// Runs a program and captures what it says; kills it for real when a test asks for that.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

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
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "condenser_test_XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

class Process {
 public:
  // Starts `arguments` in `folder`; `file_limit` > 0 bounds the size of written files (a full disk for every write
  // beyond it).
  Process(std::vector<std::string> arguments, const std::filesystem::path& folder, rlim_t file_limit = 0) {
    pid_ = fork();
    if (pid_ == 0) {
      if (chdir(folder.c_str()) != 0) _exit(126);
      redirect(STDOUT_FILENO, (logs_ / "out").c_str());
      redirect(STDERR_FILENO, (logs_ / "err").c_str());
      if (file_limit > 0) {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{file_limit, file_limit};
        setrlimit(RLIMIT_FSIZE, &limit);
      }
      std::vector<char*> argv;
      for (std::string& a : arguments) argv.push_back(a.data());
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      _exit(127);
    }
  }
  ~Process() {
    if (pid_ > 0) kill_now();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Finished wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(logs_ / "out"),
            slurp(logs_ / "err")};
  }
  // Waits until a signal has stopped it (SIGSTOP at a named moment); false when it ended instead.
  bool wait_until_stopped() {
    siginfo_t info{};
    return waitid(P_PID, pid_, &info, WSTOPPED | WEXITED | WNOWAIT) == 0 && info.si_code == CLD_STOPPED;
  }
  bool running() {
    siginfo_t info{};
    return waitid(P_PID, pid_, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }
  pid_t pid() const { return pid_; }
  void send(int signal_number) { kill(pid_, signal_number); }
  void kill_now() {
    kill(pid_, SIGKILL);
    wait();
  }
  std::string err_so_far() const { return slurp(logs_ / "err"); }

 private:
  static void redirect(int fd, const char* file) {
    const int target = open(file, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(target, fd);
    close(target);
  }
  TempFolder logs_;
  pid_t pid_ = -1;
};

inline Finished run(std::vector<std::string> arguments, const std::filesystem::path& folder, rlim_t file_limit = 0) {
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
