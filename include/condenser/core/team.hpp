#pragma once
// Threads that share the chunks of one loop. Loops of small networks take tens of microseconds, so workers spin briefly
// before they sleep; chunks are handed out one by one, so that a worker without a core delays nobody (an OpenMP barrier
// was measured 10 times slower on a machine with other work).

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace condenser::nn {

class Team {
 public:
  static Team& instance();  // the one of the process; one thread until resized

  void resize(int threads);  // the caller of run() is one of them
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(i) for each i in [0, chunks), on any thread and in any order, and returns when all are done. Runs alone
  // when another thread uses the team. Rethrows the first error.
  void run(int64_t chunks, const std::function<void(int64_t)>& body);

  Team() = default;
  ~Team();
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
  std::atomic<int64_t> done_{0};
  std::exception_ptr error_;
  std::mutex error_mutex_;
};

// Calls body(first, count) for parts of `total`, each of `part` or what is left; results that depend on the parts do
// not depend on the threads.
template <class Body>
void for_parts(int64_t total, int64_t part, const Body& body) {
  Team::instance().run((total + part - 1) / part, [&](int64_t i) { body(i * part, std::min(part, total - i * part)); });
}

}  // namespace condenser::nn
