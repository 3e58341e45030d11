// Signal handlers that only set lock-free flags and wake a thread. Saving state and leaving is up to the loops that
// look at the flag; the thread ends a process whose loops do not.

#include "condenser/core/stop.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "condenser/core/log.hpp"

namespace condenser::core {
namespace {

// Process-wide by nature: a signal reaches the process, not an object.
std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not take locks");
std::atomic<bool> arrived{false};
std::atomic<int> stopping_themselves{0};
int wake_up[2] = {-1, -1};  // a pipe

struct Actions {
  std::mutex mutex;
  int next = 0;
  std::vector<std::pair<int, std::function<void()>>> list;
};

// Never destroyed: the thread may still read it while the process ends.
Actions& actions() {
  static Actions* all = new Actions;
  return *all;
}

ExitCode code_of(int signal) {
  switch (signal) {
    case 0: return ExitCode::Ok;
    case SIGINT: return ExitCode::Interrupted;
    case SIGHUP: return ExitCode::HungUp;
    case SIGUSR1:
    case SIGUSR2: return ExitCode::Requeue;
    default: return ExitCode::Terminated;
  }
}

void handle(int signal) {
  const int saved = errno;
  int none = 0;
  stop_signal.compare_exchange_strong(none, signal);  // the first signal decides the exit code
  if (arrived.exchange(true)) ::_exit(static_cast<int>(code_of(stop_signal.load())));
  (void)!::write(wake_up[1], "", 1);
  errno = saved;
}

void end_from_outside() {
  const std::lock_guard lock(actions().mutex);
  auto& list = actions().list;
  for (auto action = list.rbegin(); action != list.rend(); ++action) action->second();
  ::_exit(static_cast<int>(stop_code()));
}

void watch() {
  char byte;
  while (true) {
    if (::read(wake_up[0], &byte, 1) != 1) {
      if (errno == EINTR) continue;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kStopGraceMilliseconds));
    if (stopping_themselves > 0) {
      log::info("stopping at the end of this step, with everything saved; a second signal ends at once");
      while (stopping_themselves > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      std::this_thread::sleep_for(std::chrono::seconds(1));  // it is leaving
    }
    end_from_outside();
  }
}

void start_watching() {
  if (::pipe2(wake_up, O_CLOEXEC | O_NONBLOCK) != 0)
    throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
  ::fcntl(wake_up[0], F_SETFL, 0);  // the reader waits, the handler never does
  std::thread(watch).detach();
}

struct TestStop {
  int signal = 0;  // 0: no test asks for one
  std::string moment;
};

TestStop read_test_stop() {
  const char* value = std::getenv("CONDENSER_TEST_STOP_AT");
  if (!value) return {};
  constexpr std::pair<const char*, int> kSignals[] = {{"KILL@", SIGKILL}, {"INT@", SIGINT},   {"TERM@", SIGTERM},
                                                      {"HUP@", SIGHUP},   {"USR1@", SIGUSR1}, {"STOP@", SIGSTOP}};
  for (const auto& [name, signal] : kSignals)
    if (std::string_view(value).starts_with(name)) return {signal, value + std::strlen(name)};
  throw Error(std::string("CONDENSER_TEST_STOP_AT = ") + value +
              "; expected <signal>@<moment>, e.g. KILL@train:step:7");
}

const TestStop& test_stop() {
  static const TestStop stop = read_test_stop();
  return stop;
}

bool ignored(int signal) {
  struct sigaction before {};
  return ::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
}

}  // namespace

void install_stop_handlers() {
  if (wake_up[0] < 0) start_watching();
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;  // libraries do not expect EINTR
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    if (signal == SIGHUP && ignored(signal)) continue;
    if (::sigaction(signal, &action, nullptr) != 0)
      throw Error(std::string("cannot install a signal handler: ") + std::strerror(errno));
  }
}

bool stop_requested() { return stop_signal.load(std::memory_order_relaxed) != 0; }

ExitCode stop_code() { return code_of(stop_signal.load()); }

void reached(const char* kind, const char* name) {
  if (test_stop().signal != 0 && test_stop().moment == std::string(kind) + ":" + name) ::raise(test_stop().signal);
}

void reached(const char* kind, int64_t index) {
  if (test_stop().signal != 0) reached(kind, std::to_string(index).c_str());
}

void request_stop(int signal) {
  stop_signal = signal;
  if (signal == 0) arrived = false;
}

StopsItself::StopsItself() { ++stopping_themselves; }
StopsItself::~StopsItself() { --stopping_themselves; }

AtForcedEnd::AtForcedEnd(std::function<void()> action) {
  const std::lock_guard lock(actions().mutex);
  id_ = actions().next++;
  actions().list.emplace_back(id_, std::move(action));
}

AtForcedEnd::~AtForcedEnd() {
  const std::lock_guard lock(actions().mutex);
  std::erase_if(actions().list, [this](const auto& entry) { return entry.first == id_; });
}

}  // namespace condenser::core
