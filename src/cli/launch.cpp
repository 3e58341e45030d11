// Parent of the ranks on one machine. Each rank leads a process group of its own, so that Ctrl-C on a terminal reaches
// it once, through the parent; and it is told to stop when the parent dies.

#include "cli/launch.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/train/ranks.hpp"
#include "verify/process.hpp"

namespace condenser::cli {
namespace {

using core::ExitCode;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kGrace{5};  // for the others, after one has failed

pid_t start_rank(int rank, int size, const std::string& store_file, const std::vector<std::string>& arguments) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0)
    throw core::Error(std::string("cannot start rank ") + std::to_string(rank) + ": " + std::strerror(errno));
  if (pid > 0) return pid;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(static_cast<int>(ExitCode::Terminated));  // it died in between
  for (const auto& [name, value] : train::local_rank_environment(rank, size, store_file))
    setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> texts = arguments;
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  execv("/proc/self/exe", argv.data());
  _exit(127);
}

bool is_stop(int code) {
  return code == static_cast<int>(ExitCode::Requeue) || code == static_cast<int>(ExitCode::Interrupted) ||
         code == static_cast<int>(ExitCode::Terminated);
}

int signal_of(ExitCode code) {
  return code == ExitCode::Interrupted ? SIGINT : code == ExitCode::Requeue ? SIGUSR1 : SIGTERM;
}

class Ranks {
 public:
  ~Ranks() { send(SIGKILL); }

  void start(int count, const std::string& store_file, const std::vector<std::string>& arguments) {
    for (int rank = 0; rank < count; ++rank) pids_.push_back(start_rank(rank, count, store_file, arguments));
    running_ = count;
  }

  int watch() {
    while (running_ > 0) {
      if (core::stop_requested() && !passed_on_) {
        send(signal_of(core::stop_code()));
        passed_on_ = true;
      }
      if (deadline_ && Clock::now() >= *deadline_) send(SIGKILL);
      int status = 0;
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      if (pid > 0)
        ended(pid, status);
      else
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return code_;
  }

 private:
  void send(int signal) const {
    for (const pid_t pid : pids_)
      if (pid > 0) kill(pid, signal);
  }

  void ended(pid_t pid, int status) {
    const auto found = std::find(pids_.begin(), pids_.end(), pid);
    if (found == pids_.end()) return;
    *found = 0;
    --running_;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::RunFailed);
    if (code == 0 || code_ != 0) return;
    code_ = code;
    if (!passed_on_) send(SIGTERM);  // the others stop too; to those that do already a second signal means: at once
    if (is_stop(code)) return;
    deadline_ = Clock::now() + kGrace;
    char host[256] = "localhost";
    gethostname(host, sizeof host - 1);
    core::log::error("rank " + std::to_string(found - pids_.begin()) + " of " + std::to_string(pids_.size()) +
                     " (pid " + std::to_string(pid) + " on " + host + ") " +
                     (WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
                                                strsignal(WTERMSIG(status)) + ")"
                                          : "ended with exit code " + std::to_string(code)) +
                     "; ending the others");
  }

  std::vector<pid_t> pids_;  // by rank; 0: ended
  int running_ = 0;
  int code_ = 0;
  bool passed_on_ = false;  // the request to stop
  std::optional<Clock::time_point> deadline_;
};

}  // namespace

int launch_ranks(int count, const std::vector<std::string>& arguments) {
  const core::StopsItself until_the_ranks_have_saved;
  const verify::TemporaryFolder meeting;
  Ranks ranks;
  ranks.start(count, (meeting.path() / "store").string(), arguments);
  return ranks.watch();
}

}  // namespace condenser::cli
