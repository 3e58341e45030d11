// Out of memory: batch, estimate, and what would fit.
#include "train/memory_advice.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/text.hpp"

namespace condenser::train {
namespace {

std::string size_text(double bytes) {
  constexpr double kMiB = 1 << 20, kGiB = 1 << 30;
  return bytes >= kGiB ? core::fixed(bytes / kGiB, 2) + " GiB" : core::fixed(bytes / kMiB, 1) + " MiB";
}

// "MemAvailable:  1234 kB" of /proc/meminfo.
double free_in_machine() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, rest; file >> key && std::getline(file, rest);)
    if (key == "MemAvailable:") return 1024 * std::stod(rest);
  return std::numeric_limits<double>::infinity();
}

// Below the limit of the process (ulimit -v).
double free_in_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<double>::infinity();
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages;
  double kept = 0;  // what the step had before it failed
#ifdef __GLIBC__
  kept = static_cast<double>(mallinfo2().fordblks);
#endif
  return static_cast<double>(limit.rlim_cur) - pages * static_cast<double>(sysconf(_SC_PAGESIZE)) + kept;
}

}  // namespace

double training_bytes_per_item(const arch::Spec& spec) {
  double elements = 0;
  for (const auto& node : arch::analyze(spec).nodes) elements += static_cast<double>(node.shape.elements());
  return 2 * sizeof(float) * elements;
}

double available_bytes() { return std::max(0.0, std::min(free_in_machine(), free_in_limit())); }

std::string out_of_memory_text(const arch::Spec& spec, int batch_size, int accumulate, double available) {
  const double item = training_bytes_per_item(spec);
  std::string text = "out of memory at train.batch_size = " + std::to_string(batch_size) + ": network " + spec.name +
                     " needs about " + size_text(item) + " an item, " + size_text(item * batch_size) + " a batch; " +
                     size_text(available) + " are free";
  const auto fits = static_cast<int64_t>(0.8 * available / item);
  if (fits < 1) return text + ", not enough for one item; expected a smaller network or input";
  if (fits >= batch_size) return text + "; end other programs, or try a smaller train.batch_size";
  const int64_t parts = (static_cast<int64_t>(batch_size) * accumulate + fits - 1) / fits;
  return text + ", enough for about " + std::to_string(fits) + "; try train.batch_size=" +
         std::to_string((static_cast<int64_t>(batch_size) * accumulate + parts - 1) / parts) +
         " train.accumulate=" + std::to_string(parts) + ", the same step in parts";
}

}  // namespace condenser::train
