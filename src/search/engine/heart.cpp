#include "search/engine/heart.hpp"

#include "condenser/core/log.hpp"

namespace condenser::search {

Heart::Heart(Store& store, std::string worker, double lease)
    : store_(store), worker_(std::move(worker)), lease_(lease) {
  if (lease_ > 0) thread_ = std::thread([this] { beat(); });
}

Heart::~Heart() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Heart::beat() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::duration<double>(lease_ / 3), [this] { return ends_; })) {
    try {
      store_.heartbeat(worker_, lease_);
    } catch (const std::exception& e) {
      // Missing beats lose at most the lease; finish() tells what became of it.
      core::log::warning(std::string("search: no sign of life could be given: ") + e.what());
    }
  }
}

}  // namespace condenser::search
