#pragma once
// Order statistics of measurements. Medians and quartiles, because a busy moment must not move a result.

#include <vector>

namespace condenser::core {

struct Quartiles {
  double min = 0, q1 = 0, median = 0, q3 = 0, max = 0;
};

// Between two order statistics by linear interpolation (Hyndman and Fan 1996, definition 7). Throws Error without
// samples.
Quartiles quartiles(std::vector<double> samples);
double median(std::vector<double> samples);

}  // namespace condenser::core
