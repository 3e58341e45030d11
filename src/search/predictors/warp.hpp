#pragma once
// Values of an objective made fit for a Gaussian process. Raw values are poor: very bad networks dominate the fit. Both
// are recomputed from all values at each step and have mean 0 and deviation 1. Neither is best everywhere, so that a
// search asks a predictor for each and averages.

#include <Eigen/Core>
#include <span>

namespace condenser::search {

enum class Warp {
  Ranks,    // normal scores of the ranks, ties shared
  SoftLog,  // -log(gap / median gap + 0.3), the gap to the best value seen
};

// Higher is better in and out. With `ceiling` (percent of accuracy: 100) gaps are taken of -log(ceiling - value), so
// that 90 to 91 counts more than 50 to 51; values at the ceiling count as just below it.
Eigen::VectorXd warped(std::span<const double> values, Warp, double ceiling = 0);

}  // namespace condenser::search
