#pragma once
// How much of the space of values a front commands, and how much a point that is not yet known would add.

#include <cstdint>

#include "search/pareto/front.hpp"

namespace condenser::search {

// The volume of what is dominated by some point and above the reference in every goal. Exact, by slices (While et al.
// 2006); n points cost about n^(goals - 1).
double hypervolume(std::span<const Point>, const Point& reference);

// What a new point adds to the hypervolume. The region above the reference that no point of the front dominates is cut
// into boxes once; with [l, u) over the boxes and independent normally distributed goals j
//
//   E[gain] = sum_boxes prod_j ( psi_j(l_j) - psi_j(u_j) ),   psi_j(a) = E max(y_j - a, 0) = s phi(z) + (m - a) Phi(z)
//
// which is exact for any number of goals; a goal of deviation 0 is known.
class Gain {
 public:
  Gain(std::span<const Point> front, const Point& reference);
  // Of a point around `mean`; deviations >= 0, one for each goal.
  double expected(const Point& mean, const Point& deviation) const;
  size_t boxes() const { return goals_ == 0 ? 0 : sides_.size() / (2 * goals_); }

 private:
  void cut(std::vector<size_t> points, size_t goal, std::vector<uint32_t>& box);
  size_t goals_ = 0;
  std::vector<Point> front_;
  std::vector<std::vector<double>> levels_;  // of each goal, ascending: reference, values of the front, infinity
  std::vector<uint32_t> sides_;              // of each box and goal: lower and upper, as places in levels
};

// E max(y - level, 0) of a normally distributed y.
double expected_excess(double mean, double deviation, double level);

}  // namespace condenser::search
