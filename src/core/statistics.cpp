// Quartiles by sorting; samples are few.

#include "condenser/core/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"

namespace condenser::core {

Quartiles quartiles(std::vector<double> samples) {
  if (samples.empty()) throw Error("quartiles of no samples");
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    const double position = share * static_cast<double>(samples.size() - 1);
    const auto below = static_cast<size_t>(position), above = std::min(below + 1, samples.size() - 1);
    return samples[below] + (position - std::floor(position)) * (samples[above] - samples[below]);
  };
  return {samples.front(), at(0.25), at(0.5), at(0.75), samples.back()};
}

double median(std::vector<double> samples) { return quartiles(std::move(samples)).median; }

}  // namespace condenser::core
