#include "search/pareto/front.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace condenser::search {
namespace {

struct Range {
  double low = INFINITY, high = -INFINITY;
  double width() const { return high - low; }
};

std::vector<Range> ranges(std::span<const Point> points) {
  std::vector<Range> all(points.empty() ? 0 : points.front().size());
  for (const Point& point : points) {
    for (size_t g = 0; g < all.size(); ++g) {
      all[g].low = std::min(all[g].low, point[g]);
      all[g].high = std::max(all[g].high, point[g]);
    }
  }
  return all;
}

// Of the points at `places`, which are one front; parallel to places.
std::vector<double> crowding(std::span<const Point> points, const std::vector<size_t>& places) {
  std::vector<double> distance(places.size(), 0);
  if (places.empty()) return distance;
  std::vector<size_t> order(places.size());
  for (size_t g = 0; g < points[places.front()].size(); ++g) {
    const auto value = [&](size_t i) { return points[places[i]][g]; };
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return value(a) < value(b); });
    const double range = value(order.back()) - value(order.front());
    distance[order.front()] = distance[order.back()] = INFINITY;
    for (size_t i = 1; i + 1 < order.size() && range > 0; ++i)
      distance[order[i]] += (value(order[i + 1]) - value(order[i - 1])) / range;
  }
  return distance;
}

}  // namespace

bool dominates(const Point& a, const Point& b) {
  bool better = false;
  for (size_t g = 0; g < a.size(); ++g) {
    if (!(a[g] >= b[g])) return false;
    better = better || a[g] > b[g];
  }
  return better;
}

std::vector<int> fronts(std::span<const Point> points) {
  std::vector<int> front(points.size(), -1);
  std::vector<int> above(points.size(), 0);  // how many not yet ranked points dominate it
  std::vector<std::vector<size_t>> below(points.size());
  std::vector<size_t> now;
  for (size_t a = 0; a < points.size(); ++a) {
    for (size_t b = a + 1; b < points.size(); ++b) {
      const bool first = dominates(points[a], points[b]);
      if (!first && !dominates(points[b], points[a])) continue;
      below[first ? a : b].push_back(first ? b : a);
      ++above[first ? b : a];
    }
  }
  for (size_t i = 0; i < points.size(); ++i)
    if (above[i] == 0) now.push_back(i);
  for (int rank = 0; !now.empty(); ++rank) {
    std::vector<size_t> next;
    for (const size_t i : now) {
      front[i] = rank;
      for (const size_t j : below[i])
        if (--above[j] == 0) next.push_back(j);
    }
    now = std::move(next);
  }
  return front;
}

std::vector<size_t> best_first(std::span<const Point> points) {
  if (!points.empty() && points.front().size() == 1) {  // the same, and fast for any number of points
    std::vector<size_t> order(points.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return points[a][0] > points[b][0]; });
    return order;
  }
  const std::vector<int> front = fronts(points);
  const int last = front.empty() ? -1 : *std::ranges::max_element(front);
  std::vector<size_t> order;
  for (int rank = 0; rank <= last; ++rank) {
    std::vector<size_t> places;
    for (size_t i = 0; i < points.size(); ++i)
      if (front[i] == rank) places.push_back(i);
    const std::vector<double> distance = crowding(points, places);
    std::vector<size_t> within(places.size());
    std::iota(within.begin(), within.end(), size_t{0});
    std::stable_sort(within.begin(), within.end(), [&](size_t a, size_t b) { return distance[a] > distance[b]; });
    for (const size_t i : within) order.push_back(places[i]);
  }
  return order;
}

size_t balanced(std::span<const Point> points) {
  const std::vector<Range> all = ranges(points);
  size_t found = 0;
  double nearest = INFINITY;
  for (size_t i = 0; i < points.size(); ++i) {
    double distance = 0;
    for (size_t g = 0; g < all.size(); ++g) {
      const double short_of = all[g].width() > 0 ? (all[g].high - points[i][g]) / all[g].width() : 0;
      distance += short_of * short_of;
    }
    if (distance >= nearest) continue;
    nearest = distance;
    found = i;
  }
  return found;
}

Point reference_below(std::span<const Point> front, double step) {
  Point reference;
  for (const Range& range : ranges(front))
    reference.push_back(range.low - (range.width() > 0 ? 0.1 * range.width() : step));
  return reference;
}

}  // namespace condenser::search
