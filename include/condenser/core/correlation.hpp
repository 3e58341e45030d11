#pragma once
// Rank correlations of two lists of numbers.

#include <cstddef>
#include <optional>
#include <vector>

namespace condenser::core {

// Spearman's: equal values share the mean of their ranks. NaN where a list has no spread. Lists of the same length.
double spearman(const std::vector<double>& x, const std::vector<double>& y);

struct Correlation {
  size_t count = 0;
  double spearman = 0, low = 0, high = 0;  // with its 95 % interval
  double kendall = 0;                      // tau-b
};

// The interval is Fisher's, with the variance (1 + r^2 / 2) / (n - 3) that
// holds for ranks (Bonett and Wright 2000, Psychometrika 65). None: fewer than five pairs, or a list of equal values.
std::optional<Correlation> correlate(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace condenser::core
