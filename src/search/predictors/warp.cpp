#include "search/predictors/warp.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kSoftness = 0.3;
constexpr double kBelowCeiling = 0.01;  // of the ceiling's unit

// The quantile of the normal distribution: Newton's method on the distribution function, from the middle. Steps are at
// most 1, which keeps it from running away in the tails; p is never nearer to 0 or 1 than half a rank.
double normal_quantile(double p) {
  constexpr double kSqrt2 = 1.4142135623730951, kSqrt2Pi = 2.5066282746310002;
  double z = 0;
  for (int i = 0; i < 60; ++i) {
    const double off = 0.5 * std::erfc(-z / kSqrt2) - p;
    const double density = std::exp(-0.5 * z * z) / kSqrt2Pi;
    const double step = std::clamp(off / std::max(density, 1e-12), -1.0, 1.0);
    z -= step;
    if (std::abs(step) < 1e-13) break;
  }
  return z;
}

VectorXd ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  VectorXd scores(std::ssize(values));
  for (size_t first = 0; first < order.size();) {
    size_t end = first;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    const double rank = 0.5 * static_cast<double>(first + end - 1);
    const double score = normal_quantile((rank + 0.5) / static_cast<double>(order.size()));
    for (; first < end; ++first) scores(static_cast<Index>(order[first])) = score;
  }
  return scores;
}

VectorXd soft_log(std::span<const double> values, double ceiling) {
  std::vector<double> gaps;
  for (const double v : values) gaps.push_back(ceiling > 0 ? std::log(std::max(ceiling - v, kBelowCeiling)) : -v);
  const double best = *std::min_element(gaps.begin(), gaps.end());
  for (double& gap : gaps) gap -= best;
  std::vector<double> sorted = gaps;
  std::sort(sorted.begin(), sorted.end());
  const double median = std::max(sorted[sorted.size() / 2], 1e-9);
  VectorXd scores(std::ssize(values));
  for (size_t i = 0; i < gaps.size(); ++i) scores(static_cast<Index>(i)) = -std::log(gaps[i] / median + kSoftness);
  return scores;
}

}  // namespace

VectorXd warped(std::span<const double> values, Warp warp, double ceiling) {
  if (values.empty()) return {};
  VectorXd y = warp == Warp::Ranks ? ranks(values) : soft_log(values, ceiling);
  y.array() -= y.mean();
  const double deviation = std::sqrt(y.squaredNorm() / static_cast<double>(y.size()));
  if (deviation > 1e-12) y /= deviation;
  return y;
}

}  // namespace condenser::search
