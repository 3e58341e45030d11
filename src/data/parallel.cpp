// Threads that draw indices from a counter.
#include "data/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "condenser/core/stop.hpp"

namespace condenser::data {

void for_each(int64_t count, const std::function<void(int64_t)>& work) {
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const auto run = [&] {
    try {
      for (int64_t i; (i = next++) < count;) {
        if (core::stop_requested()) throw core::Stopped("stopped while reading the data set");
        work(i);
      }
    } catch (...) {
      next = count;
      std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  const int64_t threads = std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, std::max<int64_t>(1, count));
  std::vector<std::jthread> helpers;
  for (int64_t t = 1; t < threads; ++t) helpers.emplace_back(run);
  run();
  helpers.clear();
  if (error) std::rethrow_exception(error);
}

}  // namespace condenser::data
