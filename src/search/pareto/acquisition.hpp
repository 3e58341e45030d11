#pragma once
// How promising candidates are, from what is predicted of each of their goals and constraints.

#include <Eigen/Core>
#include <span>
#include <vector>

#include "search/pareto/front.hpp"

namespace condenser::search {

// Of one goal or one constraint, a row for each candidate; deviation 0: known.
struct Outlook {
  Eigen::VectorXd mean, deviation;
};

// Rows of goals, higher is better, to what is known to be feasible (`points`: a value for each goal; at least one):
// the logarithm of the expected gain of hypervolume over their front, above the reference. One goal: of the expected
// improvement on the best. With three goals and more only the most spread members of a large
// front count.
Eigen::VectorXd log_expected_gain(std::span<const Outlook> goals, std::span<const Point> points,
                                  const Point& reference);

// The logarithm of the probability that every constraint is met: outlooks of the metrics with higher as better, and the
// limit of each in the same units.
Eigen::VectorXd log_chance(std::span<const Outlook> constraints, std::span<const double> limits);

}  // namespace condenser::search
