// Parent of the ranks on one machine. Each rank leads a process group of its own, so that Ctrl-C on a terminal reaches
// it once, through the parent; and it is told to stop when the parent dies.

#include "cli/launch.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/train/ranks.hpp"

namespace condenser::cli {
namespace {

using core::ExitCode;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kGrace{5};  // for the others, after one has failed

core::Process start_rank(int rank, int size, const std::string& store_file, const std::vector<std::string>& arguments) {
  core::ProcessOptions options;
  options.program = core::kThisProgram;
  options.input = std::nullopt;
  options.out = options.err = core::Stream::Inherited;
  for (const auto& [name, value] : train::local_rank_environment(rank, size, store_file))
    options.environment.push_back(name + "=" + value);
  return core::Process(arguments, options);
}

bool is_stop(int code) {
  return code == static_cast<int>(ExitCode::Requeue) || code == static_cast<int>(ExitCode::Interrupted) ||
         code == static_cast<int>(ExitCode::Terminated);
}

int signal_of(ExitCode code) {
  return code == ExitCode::Interrupted ? SIGINT : code == ExitCode::Requeue ? SIGUSR1 : SIGTERM;
}

std::string how(const core::ProcessResult& result) {
  if (result.end == core::ProcessResult::End::Exited) return "ended with exit code " + std::to_string(result.code);
  return "was ended by signal " + std::to_string(result.code) + " (" + strsignal(result.code) + ")";
}

// Those that still run are killed at the end of the scope.
class Ranks {
 public:
  void start(int count, const std::string& store_file, const std::vector<std::string>& arguments) {
    ranks_.reserve(static_cast<size_t>(count));
    for (int rank = 0; rank < count; ++rank) ranks_.push_back({start_rank(rank, count, store_file, arguments)});
  }

  int watch() {
    while (look() > 0) {
      if (core::stop_requested() && !passed_on_) {
        send(signal_of(core::stop_code()));
        passed_on_ = true;
      }
      if (deadline_ && Clock::now() >= *deadline_) send(SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return code_;
  }

 private:
  struct Rank {
    core::Process process;
    bool running = true;
  };

  // How many run on.
  int look() {
    int running = 0;
    for (Rank& rank : ranks_) {
      if (!rank.running) continue;
      rank.running = rank.process.running();
      if (rank.running)
        ++running;
      else
        ended(rank);
    }
    return running;
  }

  void send(int signal) const {
    for (const Rank& rank : ranks_) rank.process.send(signal);
  }

  void ended(const Rank& rank) {
    const core::ProcessResult result = rank.process.result();
    const bool exited = result.end == core::ProcessResult::End::Exited;
    const int code = exited ? result.code : static_cast<int>(ExitCode::RunFailed);
    if (code == 0 || code_ != 0) return;
    code_ = code;
    if (!passed_on_) send(SIGTERM);  // the others stop too; to those that do already a second signal means: at once
    if (is_stop(code)) return;
    deadline_ = Clock::now() + kGrace;
    core::log::error("rank " + std::to_string(&rank - ranks_.data()) + " of " + std::to_string(ranks_.size()) +
                     " (pid " + std::to_string(rank.process.pid()) + " on " + core::host_name() + ") " + how(result) +
                     "; ending the others");
  }

  std::vector<Rank> ranks_;
  int code_ = 0;
  bool passed_on_ = false;  // the request to stop
  std::optional<Clock::time_point> deadline_;
};

}  // namespace

int launch_ranks(int count, const std::vector<std::string>& arguments) {
  const core::StopsItself until_the_ranks_have_saved;
  const core::TemporaryFolder meeting;
  Ranks ranks;
  ranks.start(count, (meeting.path() / "store").string(), arguments);
  return ranks.watch();
}

}  // namespace condenser::cli
