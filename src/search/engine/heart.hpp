#pragma once
// Signs of life of a worker while it examines a candidate.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "condenser/search/store.hpp"

namespace condenser::search {

// Uses the store until it is destroyed; nobody else may in that time. A lease of 0: does nothing.
class Heart {
 public:
  Heart(Store& store, std::string worker, double lease);
  ~Heart();
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

 private:
  void beat();

  Store& store_;
  const std::string worker_;
  const double lease_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace condenser::search
