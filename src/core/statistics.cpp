// Quartiles by sorting, as samples are few; tables of two by two.

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

// Twice the lower tail of a binomial distribution with probability 1/2.
double mcnemar(const Paired& p) {
  const auto n = static_cast<double>(p.only_first + p.only_second);
  double tail = 0;
  for (int64_t k = 0; k <= std::min(p.only_first, p.only_second); ++k) {
    const auto x = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) - n * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

Difference difference_95(const Paired& p) {
  const auto total = static_cast<double>(p.total());
  const double n = total + 2, first = static_cast<double>(p.only_first) + 0.5,
               second = static_cast<double>(p.only_second) + 0.5;
  const double middle = (first - second) / n, error = std::sqrt((first + second) / n - middle * middle) / std::sqrt(n);
  const double found = total > 0 ? static_cast<double>(p.only_first - p.only_second) / total : 0;
  return {100 * found, 100 * std::max(-1.0, middle - 1.959964 * error), 100 * std::min(1.0, middle + 1.959964 * error)};
}

}  // namespace condenser::core
