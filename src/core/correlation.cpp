// Spearman by ranks, Kendall by counting the exchanges of a merge sort (Knight 1966): both in O(n log n).

#include "condenser/core/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace condenser::core {
namespace {

std::vector<size_t> order_of(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  return order;
}

std::vector<double> ranks_of(const std::vector<double>& values) {
  const std::vector<size_t> order = order_of(values);
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t k = begin; k < end; ++k) ranks[order[k]] = static_cast<double>(begin + end - 1) / 2;
  }
  return ranks;
}

// NaN where one list has no spread.
double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n, my = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    xx += (x[k] - mx) * (x[k] - mx);
    yy += (y[k] - my) * (y[k] - my);
    xy += (x[k] - mx) * (y[k] - my);
  }
  return xy / std::sqrt(xx * yy);
}

int64_t pairs(int64_t n) { return n * (n - 1) / 2; }

// Pairs of equal neighbours in a sorted list.
template <class Equal>
int64_t tied(size_t count, const Equal& equal) {
  int64_t sum = 0, run = 1;
  for (size_t k = 1; k <= count; ++k) {
    if (k < count && equal(k - 1, k)) {
      ++run;
      continue;
    }
    sum += pairs(run);
    run = 1;
  }
  return sum;
}

// Sorts and counts the pairs that were in the wrong order.
int64_t exchanges(std::vector<double>& v, std::vector<double>& room, size_t begin, size_t end) {
  if (end - begin < 2) return 0;
  const size_t middle = begin + (end - begin) / 2;
  int64_t count = exchanges(v, room, begin, middle) + exchanges(v, room, middle, end);
  size_t a = begin, b = middle;
  for (size_t k = begin; k < end; ++k) {
    const bool right = a == middle || (b < end && v[b] < v[a]);
    if (right) count += static_cast<int64_t>(middle - a);
    room[k] = right ? v[b++] : v[a++];
  }
  std::copy(room.begin() + static_cast<std::ptrdiff_t>(begin), room.begin() + static_cast<std::ptrdiff_t>(end),
            v.begin() + static_cast<std::ptrdiff_t>(begin));
  return count;
}

double kendall(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<size_t> order = order_of(y);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return x[a] < x[b]; });
  std::vector<double> sorted, room(x.size());
  for (const size_t k : order) sorted.push_back(y[k]);
  const auto same_x = [&](size_t a, size_t b) { return x[order[a]] == x[order[b]]; };
  const auto same_both = [&](size_t a, size_t b) { return same_x(a, b) && y[order[a]] == y[order[b]]; };
  const int64_t all = pairs(static_cast<int64_t>(x.size())), ties_x = tied(x.size(), same_x),
                ties_both = tied(x.size(), same_both);
  const int64_t wrong = exchanges(sorted, room, 0, sorted.size());
  const int64_t ties_y = tied(x.size(), [&](size_t a, size_t b) { return sorted[a] == sorted[b]; });
  const auto difference = static_cast<double>(all - ties_x - ties_y + ties_both - 2 * wrong);
  return difference / std::sqrt(static_cast<double>(all - ties_x)) / std::sqrt(static_cast<double>(all - ties_y));
}

}  // namespace

double spearman(const std::vector<double>& x, const std::vector<double>& y) {
  return pearson(ranks_of(x), ranks_of(y));
}

std::optional<Correlation> correlate(const std::vector<double>& x, const std::vector<double>& y) {
  constexpr size_t kLeast = 5;
  constexpr double kNormal = 1.959964;  // 95 %
  if (x.size() < kLeast || x.size() != y.size()) return std::nullopt;
  const double r = spearman(x, y);
  if (!std::isfinite(r)) return std::nullopt;
  const double z = std::atanh(std::clamp(r, -1 + 1e-12, 1 - 1e-12));
  const double width = kNormal * std::sqrt((1 + r * r / 2) / static_cast<double>(x.size() - 3));
  return Correlation{x.size(), r, std::tanh(z - width), std::tanh(z + width), kendall(x, y)};
}

}  // namespace condenser::core
