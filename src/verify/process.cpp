// posix_spawn with a time limit. The child leads a process group of its own, so that a compiler's children end with it.
#include "verify/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "condenser/core/error.hpp"
#include "condenser/core/stop.hpp"

extern char** environ;

namespace condenser::verify {
namespace {

constexpr size_t kMaxOutput = 65536;

std::string variable_name(const std::string& entry) { return entry.substr(0, entry.find('=') + 1); }

std::vector<std::string> make_environment(const std::vector<std::string>& extra) {
  std::vector<std::string> result = extra;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const std::string& own : extra) replaced |= std::string_view(*entry).starts_with(variable_name(own));
    if (!replaced) result.emplace_back(*entry);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Starts the program; 0 when it cannot be started.
pid_t spawn(std::vector<std::string> arguments, const ProcessOptions& options) {
  std::vector<std::string> environment = make_environment(options.environment);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, options.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  sigset_t as_usual;  // we ignore it, see core/output
  sigemptyset(&as_usual);
  sigaddset(&as_usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &as_usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? pid : 0;
}

// Waits until the limit or until a stop is asked for; true when the child has ended.
bool wait_until(pid_t pid, std::chrono::steady_clock::time_point limit, int& status) {
  auto pause = std::chrono::milliseconds(1);
  while (true) {
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return true;
    if (core::stop_requested() || std::chrono::steady_clock::now() >= limit) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
}

std::string read_start(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMaxOutput, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  ProcessResult result;
  const pid_t pid = spawn(arguments, options);
  if (pid == 0) return result;
  result.started = true;
  int status = 0;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout_seconds);
  if (!wait_until(pid, limit, status)) {
    result.timed_out = true;
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (core::stop_requested()) throw core::Stopped("stopped while " + arguments[0] + " ran");
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.output = read_start(options.log);
  return result;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "condenser_verify_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw core::Error("temporary folder " + name + ": " + std::strerror(errno) + "; is TMPDIR writable?");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace condenser::verify
