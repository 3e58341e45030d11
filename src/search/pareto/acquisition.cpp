#include "search/pareto/acquisition.hpp"

#include <algorithm>
#include <cmath>

#include "search/pareto/hypervolume.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kLeast = 1e-300;  // below it candidates are equally hopeless
constexpr size_t kMostMembers = 32;

std::vector<Point> front_of(std::span<const Point> points) {
  std::vector<Point> members;
  const std::vector<int> rank = fronts(points);
  for (size_t i = 0; i < points.size(); ++i)
    if (rank[i] == 0 && std::ranges::find(members, points[i]) == members.end()) members.push_back(points[i]);
  if (members.empty() || members.front().size() < 3 || members.size() <= kMostMembers) return members;
  std::vector<Point> spread;
  for (const size_t i : best_first(members)) spread.push_back(members[i]);
  spread.resize(kMostMembers);
  return spread;
}

// The logarithm of the normal distribution function. Far out its first term, so that the hopeless are still told apart.
double log_normal(double z) {
  if (z > -30) return std::log(0.5 * std::erfc(-z * 0.7071067811865476));
  return -0.5 * z * z - std::log(-z) - 0.9189385332046727;
}

}  // namespace

VectorXd log_expected_gain(std::span<const Outlook> goals, std::span<const Point> points, const Point& reference) {
  const std::vector<Point> members = front_of(points);
  const Gain gain(members, reference);
  VectorXd score(goals.front().mean.size());
  Point mean(goals.size()), deviation(goals.size());
  for (Index row = 0; row < score.size(); ++row) {
    for (size_t g = 0; g < goals.size(); ++g) {
      mean[g] = goals[g].mean(row);
      deviation[g] = goals[g].deviation(row);
    }
    score(row) = std::log(std::max(gain.expected(mean, deviation), kLeast));
  }
  return score;
}

VectorXd log_chance(std::span<const Outlook> constraints, std::span<const double> limits) {
  VectorXd sum = VectorXd::Zero(constraints.empty() ? 0 : constraints.front().mean.size());
  for (size_t c = 0; c < constraints.size(); ++c)
    for (Index row = 0; row < sum.size(); ++row) {
      const double above = constraints[c].mean(row) - limits[c], deviation = constraints[c].deviation(row);
      sum(row) += deviation > 0 ? log_normal(above / deviation) : std::log(above >= 0 ? 1 : kLeast);
    }
  return sum;
}

}  // namespace condenser::search
