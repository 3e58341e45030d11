#pragma once
// Threads that share the chunks of one loop. Loops of small networks take tens of microseconds, so workers spin briefly
// before they sleep; chunks are handed out one by one, so that a worker without a core delays nobody (an OpenMP barrier
// was measured 10 times slower on a machine with other work).
//
// Kernels, losses and optimizers share the team of the process, whose size `train.threads` says. Work that is done once
// (a data set is read, an int8 network judged) takes all cores in a team of its own. Threads that wait for each other
// in another way, as the loader's for empty slots, are no team.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace condenser::core {

class Team {
 public:
  // The one of the process; one thread until resized. A forked child has a new one: no thread of the parent's is there.
  static Team& instance();

  explicit Team(int threads = 1) { resize(threads); }
  void resize(int threads);  // the caller of run() is one of them; at least 1
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(i) for each i in [0, chunks), on any thread, begun in that order, and returns when all are done. Runs
  // alone when another thread uses the team. Rethrows the first error. Fewer than 2^32 chunks.
  void run(int64_t chunks, const std::function<void(int64_t)>& body);

  ~Team();  // in a forked child: leave with _exit, as always
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

 private:
  void work();
  bool take_one();
  void stop_workers();

  std::mutex mutex_;  // held by run() and resize()
  std::vector<std::thread> workers_;
  std::atomic<bool> quit_{false};
  std::atomic<uint64_t> ticket_{0};  // number of the loop << 32 | chunks nobody has taken
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t chunks_ = 0;  // of the loop
  std::atomic<int64_t> done_{0};
  std::exception_ptr error_;
  std::mutex error_mutex_;
};

int all_cores();  // of this machine, as the system tells; at least 1

// Calls body(first, count) for parts of `total`, each of `part` or what is left; results that depend on the parts do
// not depend on the threads.
template <class Body>
void for_parts(int64_t total, int64_t part, const Body& body) {
  Team::instance().run((total + part - 1) / part, [&](int64_t i) { body(i * part, std::min(part, total - i * part)); });
}

}  // namespace condenser::core
