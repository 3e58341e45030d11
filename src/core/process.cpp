// fork and exec. The child touches nothing that another thread may have held at the moment of the fork: everything is
// made before. What went wrong on its side comes back through a pipe that a successful exec closes.
#include "condenser/core/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/stop.hpp"

namespace condenser::core {
namespace {

using Clock = std::chrono::steady_clock;
using End = ProcessResult::End;

std::vector<std::string> merged_environment(const std::vector<std::string>& own) {
  std::vector<std::string> all = own;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view inherited = *entry;
    const std::string_view name = inherited.substr(0, inherited.find('=') + 1);
    const bool replaced = std::any_of(own.begin(), own.end(), [&](const auto& o) { return o.starts_with(name); });
    if (!replaced) all.emplace_back(inherited);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

struct File {
  int fd = -1;
  File() = default;
  explicit File(int descriptor) : fd(descriptor) {}
  ~File() { reset(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void reset() {
    if (fd >= 0) close(std::exchange(fd, -1));
  }
  int release() { return std::exchange(fd, -1); }
};

int memory_file(const std::string& content = {}) {
  File file(memfd_create("condenser", MFD_CLOEXEC));
  const bool whole = file.fd >= 0 && write(file.fd, content.data(), content.size()) == std::ssize(content);
  if (!whole) throw Error(std::string("no memory for the streams of a program: ") + std::strerror(errno));
  lseek(file.fd, 0, SEEK_SET);
  return file.release();
}

int64_t size_of(int fd) {
  struct stat info {};
  return fd >= 0 && fstat(fd, &info) == 0 ? info.st_size : 0;
}

std::string content(int fd) {
  std::string text(static_cast<size_t>(std::min(size_of(fd), Process::kMostOutput)), '\0');
  size_t got = 0;
  while (got < text.size()) {
    const ssize_t n = pread(fd, text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  text.resize(got);
  return text;
}

// The handlers of this program mean nothing to another; SIGPIPE is ignored here (core/output), not there.
void reset_signals() {
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0) continue;
    if (action.sa_handler == SIG_IGN && signal != SIGPIPE) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
}

struct Start {
  const char* program;
  const char* folder;  // null: here
  char* const* arguments;
  char* const* environment;
  int streams[4];  // descriptors for 0, 1, 2 and kChannel; -1: as they are
  pid_t parent;
  sigset_t mask;  // of signals, for the program
};

// Where a start failed: in the child, on the way back to the parent.
struct Failure {
  int error = 0;
  bool in_folder = false;
};

[[noreturn]] void become(const Start& start, int report) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != start.parent) _exit(128 + SIGTERM);  // it ended in between
  Failure failure;
  failure.in_folder = start.folder != nullptr && chdir(start.folder) != 0;
  if (!failure.in_folder) {
    for (int fd = 0; fd <= kChannel; ++fd)
      if (start.streams[fd] >= 0) dup2(start.streams[fd], fd);
    reset_signals();
    sigprocmask(SIG_SETMASK, &start.mask, nullptr);
    execvpe(start.program, start.arguments, start.environment);
  }
  failure.error = errno;
  (void)!write(report, &failure, sizeof failure);
  _exit(127);
}

Failure read_failure(int pipe) {
  Failure failure;
  ssize_t got;
  do got = read(pipe, &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  return got == sizeof failure ? failure : Failure{};
}

// The streams of a child must not be 0 to kChannel themselves, or one dup2 would overwrite the next's source.
int above_standard(int fd) {
  if (fd < 0 || fd > kChannel) return fd;
  const File low(fd);
  return fcntl(fd, F_DUPFD_CLOEXEC, kChannel + 1);
}

}  // namespace

std::string host_name() {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  return host;
}

Process::Process(std::vector<std::string> arguments, ProcessOptions options) : name_(arguments.at(0)) {
  std::vector<std::string> environment = merged_environment(options.environment);
  const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
  const File in(options.input ? above_standard(memory_file(*options.input)) : -1);
  File out(options.out == Stream::Captured ? above_standard(memory_file()) : -1);
  File err(options.err == Stream::Captured ? above_standard(memory_file()) : -1);
  const File channel(options.channel >= 0 ? fcntl(options.channel, F_DUPFD_CLOEXEC, kChannel + 1) : -1);
  const int errors = options.err == Stream::WithOut ? (out.fd >= 0 ? out.fd : STDOUT_FILENO) : err.fd;
  const std::string program = options.program.empty() ? name_ : options.program.string();
  const std::string folder = options.folder.string();
  Start start{program.c_str(),
              folder.empty() ? nullptr : folder.c_str(),
              argv.data(),
              envp.data(),
              {in.fd, out.fd, errors, channel.fd},
              getpid(),
              {}};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot start " + name_ + ": " + std::strerror(errno));
  File reading(ends[0]), writing(above_standard(ends[1]));
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &start.mask);  // no handler of this program runs in the child
  pid_ = fork();
  if (pid_ == 0) become(start, writing.fd);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &start.mask, nullptr);
  if (pid_ < 0) throw Error("cannot start " + name_ + ": " + std::strerror(error));
  setpgid(pid_, pid_);  // by both, so that neither has to wait for the other
  writing.reset();
  const Failure failure = read_failure(reading.fd);
  if (failure.error != 0) {
    reap(0);
    throw Error("cannot start " + name_ + (failure.in_folder ? " in " + folder : "") + ": " +
                std::strerror(failure.error));
  }
  limit_ = options.time_limit.count() > 0 ? Clock::now() + options.time_limit : Clock::time_point::max();
  out_ = out.release();
  err_ = err.release();
}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      limit_(other.limit_),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      pid_(other.pid_),
      ended_(std::exchange(other.ended_, true)),
      end_(other.end_),
      code_(other.code_) {}

Process::~Process() {
  kill_group();
  const File out(out_), err(err_);
}

// Notes the end of the program, if it has come.
bool Process::reap(int flags) {
  int status = 0;
  pid_t got;
  do got = waitpid(pid_, &status, flags);
  while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  ended_ = true;
  if (got == pid_ && WIFEXITED(status)) {
    end_ = End::Exited;
    code_ = WEXITSTATUS(status);
  } else {
    if (end_ == End::Exited) end_ = End::Signal;
    code_ = got == pid_ ? WTERMSIG(status) : SIGKILL;  // somebody else waited for our child
  }
  return true;
}

void Process::kill_group() {
  if (ended_) return;
  kill(-pid_, SIGKILL);
  reap(0);
}

std::optional<End> Process::passed_limit() const {
  if (Clock::now() >= limit_) return End::TimeLimit;
  if (size_of(out_) > kMostOutput || size_of(err_) > kMostOutput) return End::OutputLimit;
  return std::nullopt;
}

bool Process::running() {
  if (ended_ || reap(WNOHANG)) return false;
  const auto limit = passed_limit();
  if (!limit) return true;
  end_ = *limit;
  kill_group();
  return false;
}

void Process::send(int signal) const {
  if (!ended_) kill(pid_, signal);
}

ProcessResult Process::wait() {
  auto pause = std::chrono::milliseconds(1);
  while (running()) {
    if (stop_requested()) {
      kill_group();
      throw Stopped("stopped while " + name_ + " ran");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(20));
  }
  return result();
}

ProcessResult Process::result() const { return {end_, code_, content(out_), content(err_)}; }

ProcessResult run_process(std::vector<std::string> arguments, ProcessOptions options) {
  std::optional<Process> process;
  try {
    process.emplace(std::move(arguments), std::move(options));
  } catch (const Error& e) {
    return {End::NotStarted, 0, "", e.what()};
  }
  return process->wait();
}

void start_again(std::vector<std::string> arguments) {
  execv(kThisProgram, pointers(arguments).data());
  throw Error(std::string("cannot start the program again: ") + std::strerror(errno));
}

}  // namespace condenser::core
