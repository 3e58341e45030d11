// A chunk is taken by lowering the count in the ticket with a compare-and-swap; the loop's number in the upper half
// makes a late worker's swap fail.
#include "condenser/core/team.hpp"

#include <pthread.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace condenser::core {
namespace {

constexpr int kSpins = 2000;  // some tens of microseconds
constexpr uint64_t kCount = 0xffffffffu;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

int all_cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

Team& Team::instance() {
  static Team* current = new Team;  // never destroyed: a child must not wait for its parent's threads
  static const int registered = pthread_atfork(nullptr, nullptr, [] { current = new Team; });
  (void)registered;
  return *current;
}

Team::~Team() { stop_workers(); }

void Team::stop_workers() {
  quit_ = true;
  ticket_ += kCount + 1;  // another loop without chunks: wakes everybody
  ticket_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
  quit_ = false;
}

void Team::resize(int threads) {
  const std::lock_guard lock(mutex_);
  if (threads == size()) return;
  stop_workers();
  for (int i = 1; i < std::max(1, threads); ++i) workers_.emplace_back([this] { work(); });
}

bool Team::take_one() {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  do {
    if ((ticket & kCount) == 0) return false;
  } while (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel));
  try {
    (*body_)(chunks_ - static_cast<int64_t>(ticket & kCount));
  } catch (...) {
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = std::current_exception();
  }
  done_.fetch_add(1, std::memory_order_acq_rel);
  done_.notify_all();
  return true;
}

void Team::work() {
  while (true) {
    const uint64_t seen = ticket_.load(std::memory_order_acquire);
    if (quit_) return;  // looked at after the ticket, which changes after quit_ does
    if (take_one()) continue;
    int spins = 0;
    while (spins < kSpins && ticket_.load(std::memory_order_relaxed) == seen) {
      ++spins;
      pause();
    }
    if (spins == kSpins) ticket_.wait(seen, std::memory_order_acquire);
  }
}

void Team::run(int64_t chunks, const std::function<void(int64_t)>& body) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || workers_.empty() || chunks < 2) {
    for (int64_t i = 0; i < chunks; ++i) body(i);
    return;
  }
  body_ = &body;
  chunks_ = chunks;
  error_ = nullptr;
  done_.store(0, std::memory_order_relaxed);
  const uint64_t loop = (ticket_.load(std::memory_order_relaxed) | kCount) + 1;
  ticket_.store(loop | static_cast<uint64_t>(chunks), std::memory_order_release);
  ticket_.notify_all();
  while (take_one()) {
  }
  int spins = 0;
  for (int64_t done = done_.load(std::memory_order_acquire); done < chunks;
       done = done_.load(std::memory_order_acquire)) {
    if (++spins < kSpins)
      pause();
    else
      done_.wait(done, std::memory_order_acquire);
  }
  if (error_) std::rethrow_exception(error_);
}

}  // namespace condenser::core
