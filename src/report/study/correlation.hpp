#pragma once
// Rank correlations of two lists of numbers.

#include <cstddef>
#include <optional>
#include <vector>

namespace condenser::report {

struct Correlation {
  size_t count = 0;
  double spearman = 0, low = 0, high = 0;  // with its 95 % interval
  double kendall = 0;                      // tau-b
};

// Equal values share the mean of their ranks. The interval is Fisher's, with the variance (1 + r^2 / 2) / (n - 3) that
// holds for ranks (Bonett and Wright 2000, Psychometrika 65). None: fewer than five pairs, or a list of equal values.
std::optional<Correlation> correlate(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace condenser::report
