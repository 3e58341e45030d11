// Bring-up, collectives, and finding out who is gone when one fails. The only source that sees c10d.
#include "train/ranks/dist.hpp"

#include <ATen/ops/from_blob.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/stop.hpp"

#if defined(USE_C10D_NCCL)
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace condenser::train {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using StorePtr = c10::intrusive_ptr<c10d::Store>;

constexpr std::chrono::minutes kMeeting{5};  // how long ranks wait for each other at the start
constexpr Milliseconds kRollCall{3000};      // how long survivors wait for each other's sign of life
constexpr Milliseconds kPause{50};           // between two looks

// A process as the others know it.
struct Member {
  std::string host, cores;  // cores: the processors it may use, as text that can be compared
  int pid = 0, core_count = 1;

  std::string text() const { return host + " " + std::to_string(pid) + " " + std::to_string(core_count) + " " + cores; }
  static Member parse(const std::string& text) {
    Member m;
    std::istringstream(text) >> m.host >> m.pid >> m.core_count >> m.cores;
    return m;
  }
};

Member myself() {
  Member m;
  m.host = core::host_name();
  m.pid = getpid();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) CPU_SET(0, &set);
  m.core_count = std::max(1, CPU_COUNT(&set));
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) m.cores += std::to_string(i) + ",";
  return m;
}

// False for a process of this machine that has ended, also when nobody has asked for its exit status yet.
bool lives(int pid) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return false;
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return true;
  const size_t name_end = line.rfind(')');  // "pid (name) state ..."
  return name_end == std::string::npos || name_end + 2 >= line.size() || line[name_end + 2] != 'Z';
}

void stop_if_asked() {
  if (core::stop_requested()) throw core::Stopped("stopped while waiting for other ranks");
}

// The key-value store where the ranks meet. Rank 0 listens, unless the launcher does.
StorePtr open_store(const Ranks& ranks) {
  if (!ranks.store_file.empty()) return c10::make_intrusive<c10d::FileStore>(ranks.store_file, ranks.size);
  const std::string place = ranks.host + ":" + std::to_string(ranks.port);
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(ranks.port);
  options.isServer = ranks.leads() && !ranks.met;
  options.waitWorkers = false;
  options.timeout = std::chrono::seconds(5);
  for (const auto end = Clock::now() + kMeeting;;) {
    stop_if_asked();
    try {
      StorePtr store = c10::make_intrusive<c10d::TCPStore>(ranks.host, options);
      return c10::make_intrusive<c10d::PrefixStore>("condenser" + ranks.meeting, store);
    } catch (const std::exception& error) {
      if (options.isServer)
        throw core::Error("rank 0 cannot listen at " + place + ": " + error.what() +
                          "; MASTER_ADDR must be this machine and MASTER_PORT a free port");
      if (Clock::now() >= end)
        throw core::Error("rank " + std::to_string(ranks.rank) + " found nobody at " + place +
                          " (MASTER_ADDR, MASTER_PORT): " + error.what());
    }
    std::this_thread::sleep_for(kPause);
  }
}

// Has the key been set? Unlike get() it does not wait.
bool known(c10d::Store& store, const std::string& key) { return store.check({key}); }
void tell(c10d::Store& store, const std::string& key, const std::string& text) {
  store.set(key, std::vector<uint8_t>(text.begin(), text.end()));
}
std::string told(c10d::Store& store, const std::string& key) {
  const auto bytes = store.get(key);
  return {bytes.begin(), bytes.end()};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

constexpr const char* kRemedy = "; start again to go on from the last checkpoint";

std::string key(const char* kind, int rank) { return std::string(kind) + "/" + std::to_string(rank); }

}  // namespace

struct Group::State {
  Ranks ranks;
  Milliseconds timeout;
  StorePtr store;
  std::vector<Member> members;
  c10::intrusive_ptr<c10d::Backend> control;    // small sums: statistics, losses, stop requests
  c10::intrusive_ptr<c10d::Backend> gradients;  // connections of their own: large sums do not hold up small ones
  c10::intrusive_ptr<c10d::Backend> nccl;       // and those of a GPU
  int handed_out = 0;
  bool lost = false;

  State(const Ranks& r, Milliseconds t) : ranks(r), timeout(t), store(open_store(r)) {
    meet();
    control = gloo("control");
    gradients = gloo("gradients");
  }

  const Member& me() const { return members[static_cast<size_t>(ranks.rank)]; }
  std::string describe(int rank) const {
    const Member& m = members[static_cast<size_t>(rank)];
    return "rank " + std::to_string(rank) + " (pid " + std::to_string(m.pid) + " on " + m.host + ")";
  }
  std::string here() const { return "rank " + std::to_string(ranks.rank) + " of " + std::to_string(ranks.size); }

  void meet() {
    tell(*store, key("member", ranks.rank), myself().text());
    const auto end = Clock::now() + kMeeting;
    for (int rank = 0; rank < ranks.size; ++rank) {
      while (!known(*store, key("member", rank))) {
        stop_if_asked();
        if (Clock::now() >= end)
          throw core::Error(here() + ": rank " + std::to_string(rank) + " did not come within " +
                            std::to_string(kMeeting.count()) + " minutes (started by " + ranks.launcher + ")");
        std::this_thread::sleep_for(kPause);
      }
      members.push_back(Member::parse(told(*store, key("member", rank))));
    }
  }

  // Runs a call of c10d; its failure becomes a message that names the ranks that are gone.
  template <class Call>
  auto guarded(const Call& call) {
    try {
      return call();
    } catch (const std::exception& error) {
      lost = true;
      throw core::Error(here() + " lost the others: " + who_is_gone(first_line(error.what())));
    }
  }

  bool one_machine() const {
    return std::all_of(members.begin(), members.end(), [&](const Member& m) { return m.host == me().host; });
  }

  c10::intrusive_ptr<c10d::Backend> gloo(const std::string& name) {
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");  // as PyTorch reads it
    options->devices.push_back(interface       ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                               : one_machine() ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                               : c10d::ProcessGroupGloo::createDefaultDevice());
    return guarded([&]() -> c10::intrusive_ptr<c10d::Backend> {
      return c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>(name, store),
                                                         ranks.rank, ranks.size, options);
    });
  }

  // The connections that a gradient goes through; those of a GPU are made when the first one comes.
  c10d::Backend& backend_for(const at::Tensor& tensor) {
    if (tensor.is_cpu()) return *gradients;
#if defined(USE_C10D_NCCL)
    if (!nccl) {
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = timeout;
      nccl = guarded([&]() -> c10::intrusive_ptr<c10d::Backend> {
        return c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                           ranks.rank, ranks.size, options);
      });
    }
    return *nccl;
#else
    throw core::Error("this LibTorch has no NCCL: several processes train on the processor only");
#endif
  }

  void finish(const c10::intrusive_ptr<c10d::Work>& work) {
    guarded([&] { work->wait(); });
  }

  bool gone(int rank) {
    const Member& m = members[static_cast<size_t>(rank)];
    if (rank == ranks.rank || known(*store, key("here", rank))) return false;
    return m.host != me().host || !lives(m.pid);
  }

  // A roll call among the survivors. Says what is known: a rank's own words, or its silence.
  std::string who_is_gone(const std::string& why) {
    std::string who;
    try {
      tell(*store, key("here", ranks.rank), "");
      const auto end = Clock::now() + kRollCall;
      while (Clock::now() < end && who.empty()) {
        for (int rank = 0; rank < ranks.size; ++rank)
          if (known(*store, key("reason", rank)))
            who += (who.empty() ? "" : ", ") + describe(rank) + " gave up: " + told(*store, key("reason", rank));
        std::this_thread::sleep_for(kPause);
        for (int rank = 0; rank < ranks.size && one_machine(); ++rank)
          if (who.empty() && gone(rank)) who = describe(rank) + " has ended" + kRemedy;
      }
      for (int rank = 0; rank < ranks.size && who.empty(); ++rank)
        if (gone(rank)) who = describe(rank) + " does not answer" + kRemedy;
      if (ranks.leads() && !ranks.met) std::this_thread::sleep_for(kRollCall / 3);  // others ask in rank 0's store
    } catch (const std::exception&) {
      if (who.empty()) who = describe(0) + " does not answer" + kRemedy;
    }
    return who.empty() ? why : who;
  }
};

Group::Group(const Ranks& ranks, std::chrono::seconds timeout) : state_(std::make_unique<State>(ranks, timeout)) {}
Group::~Group() = default;

int Group::rank() const { return state_->ranks.rank; }
int Group::size() const { return state_->ranks.size; }

int Group::local_rank() const {
  if (state_->ranks.local_rank >= 0) return state_->ranks.local_rank;
  int before = 0;
  for (int rank = 0; rank < this->rank(); ++rank)
    before += state_->members[static_cast<size_t>(rank)].host == state_->me().host;
  return before;
}

int Group::cores() const {
  const Member& me = state_->me();
  const auto sharing = std::count_if(state_->members.begin(), state_->members.end(),
                                     [&](const Member& m) { return m.host == me.host && m.cores == me.cores; });
  return std::max(1, me.core_count / static_cast<int>(sharing));
}

std::string Group::hand_out(const std::string& text) {
  State& s = *state_;
  const std::string name = key("handed out", s.handed_out++);
  if (leads()) {
    s.guarded([&] { tell(*s.store, name, text); });
    return text;
  }
  const auto gone = [&] { return core::Error(s.here() + ": " + s.describe(0) + " ended before training began"); };
  while (true) {
    stop_if_asked();
    const bool alive = s.members[0].host != s.me().host || lives(s.members[0].pid);
    try {
      if (known(*s.store, name)) return told(*s.store, name);
    } catch (const std::exception&) {
      throw gone();
    }
    if (!alive) throw gone();
    std::this_thread::sleep_for(2 * kPause);
  }
}

void Group::give_up(const std::string& reason) noexcept {
  if (state_->lost) return;  // what it has to say is about others
  try {
    tell(*state_->store, key("reason", rank()), reason);
  } catch (const std::exception&) {  // they will notice without
  }
}

namespace {
template <class T>
at::Tensor tensor_of(std::span<T> values) {
  return at::from_blob(values.data(), {std::ssize(values)}, c10::CppTypeToScalarType<T>::value);
}
}  // namespace

void Group::sum(std::span<double> values) {
  std::vector<at::Tensor> tensors{tensor_of(values)};
  state_->finish(state_->guarded([&] { return state_->control->allreduce(tensors); }));
}

void Group::sum(std::span<float> values) {
  std::vector<at::Tensor> tensors{tensor_of(values)};
  state_->finish(state_->guarded([&] { return state_->control->allreduce(tensors); }));
}

void Group::broadcast(std::span<float> values) {
  if (values.empty()) return;
  std::vector<at::Tensor> tensors{tensor_of(values)};
  state_->finish(state_->guarded([&] { return state_->control->broadcast(tensors); }));
}

void Group::broadcast(std::string& bytes) {
  int64_t size = std::ssize(bytes);
  std::vector<at::Tensor> header{at::from_blob(&size, {1}, at::kLong)};
  state_->finish(state_->guarded([&] { return state_->control->broadcast(header); }));
  bytes.resize(static_cast<size_t>(size));
  if (bytes.empty()) return;
  std::vector<at::Tensor> body{at::from_blob(bytes.data(), {size}, at::kByte)};
  state_->finish(state_->guarded([&] { return state_->control->broadcast(body); }));
}

std::function<void()> Group::sum_later(const at::Tensor& tensor) {
  State* s = state_.get();
  c10d::Backend& backend = s->backend_for(tensor);
  std::vector<at::Tensor> tensors{tensor};
  return [s, work = s->guarded([&] { return backend.allreduce(tensors); })] { s->finish(work); };
}

}  // namespace condenser::train
