#pragma once
// Order statistics of measurements. Medians and quartiles, because a busy moment must not move a result. And whether
// one network is better than another, or was lucky with the samples.

#include <cstdint>
#include <vector>

namespace condenser::core {

struct Quartiles {
  double min = 0, q1 = 0, median = 0, q3 = 0, max = 0;
};

// Between two order statistics by linear interpolation (Hyndman and Fan 1996, definition 7). Throws Error without
// samples.
Quartiles quartiles(std::vector<double> samples);
double median(std::vector<double> samples);

// How often two networks are right about the same samples.
struct Paired {
  int64_t both = 0, only_first = 0, only_second = 0, neither = 0;
  int64_t total() const { return both + only_first + only_second + neither; }
  // One sample more: is the first right about it, and the second?
  void add(bool first, bool second) { ++(first ? (second ? both : only_first) : (second ? only_second : neither)); }
};

// McNemar's test (1947), exact and two-sided: the probability of such a difference, or a larger one, between networks
// that are equally good. In [0, 1].
double mcnemar(const Paired&);

// How much more often the first is right, in points, with its 95 % interval (Agresti and Min 2005: each cell of the
// table has half a sample more).
struct Difference {
  double points = 0, low = 0, high = 0;
};
Difference difference_95(const Paired&);

}  // namespace condenser::core
