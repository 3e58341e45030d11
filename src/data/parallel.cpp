#include "data/parallel.hpp"

#include <algorithm>
#include <atomic>

#include "condenser/core/stop.hpp"
#include "condenser/core/team.hpp"

namespace condenser::data {

void for_each(int64_t count, const std::function<void(int64_t)>& work) {
  std::atomic<bool> failed = false;
  core::Team team(static_cast<int>(std::min<int64_t>(core::all_cores(), count)));
  team.run(count, [&](int64_t i) {
    if (failed) return;
    try {
      if (core::stop_requested()) throw core::Stopped("stopped while reading the data set");
      work(i);
    } catch (...) {
      failed = true;
      throw;
    }
  });
}

}  // namespace condenser::data
