#include "search/pareto/hypervolume.hpp"

#include <algorithm>
#include <cmath>

namespace condenser::search {
namespace {

bool above(const Point& point, const Point& reference) {
  for (size_t g = 0; g < point.size(); ++g)
    if (!(point[g] > reference[g])) return false;
  return true;
}

// At least as good in goals 0 .. count - 1.
bool covers(const Point& a, const Point& b, size_t count) {
  for (size_t g = 0; g < count; ++g)
    if (a[g] < b[g]) return false;
  return true;
}

// Leaves of points that cover each other in the first goals only the better ones.
template <class Item, class At>
void keep_best(std::vector<Item>& items, size_t count, const At& at) {
  std::vector<Item> kept;
  for (const Item& item : items) {
    if (std::any_of(kept.begin(), kept.end(), [&](const Item& k) { return covers(at(k), at(item), count); })) continue;
    std::erase_if(kept, [&](const Item& k) { return covers(at(item), at(k), count); });
    kept.push_back(item);
  }
  items = std::move(kept);
}

// In goals 0 .. goal, of points above the reference.
double volume(std::vector<const Point*> points, const Point& reference, size_t goal) {
  keep_best(points, goal + 1, [](const Point* p) -> const Point& { return *p; });
  if (points.empty()) return 0;
  if (goal == 0) return (*points.front())[0] - reference[0];
  std::stable_sort(points.begin(), points.end(),
                   [&](const Point* a, const Point* b) { return (*a)[goal] > (*b)[goal]; });
  double sum = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const double floor = i + 1 < points.size() ? (*points[i + 1])[goal] : reference[goal];
    const double height = (*points[i])[goal] - floor;
    if (height > 0)
      sum +=
          height * volume({points.begin(), points.begin() + static_cast<std::ptrdiff_t>(i) + 1}, reference, goal - 1);
  }
  return sum;
}

}  // namespace

double hypervolume(std::span<const Point> points, const Point& reference) {
  std::vector<const Point*> counted;
  for (const Point& point : points)
    if (above(point, reference)) counted.push_back(&point);
  return reference.empty() ? 0 : volume(std::move(counted), reference, reference.size() - 1);
}

double expected_excess(double mean, double deviation, double level) {
  if (!(deviation > 0)) return std::max(mean - level, 0.0);
  const double z = (mean - level) / deviation;
  const double density = 0.3989422804014327 * std::exp(-0.5 * z * z);
  return std::max(deviation * density + (mean - level) * 0.5 * std::erfc(-z * 0.7071067811865476), 0.0);
}

Gain::Gain(std::span<const Point> front, const Point& reference) : goals_(reference.size()), levels_(reference.size()) {
  for (const Point& point : front)
    if (above(point, reference)) front_.push_back(point);
  keep_best(front_, goals_, [](const Point& p) -> const Point& { return p; });
  for (size_t g = 0; g < goals_; ++g) {
    std::vector<double>& levels = levels_[g];
    levels = {reference[g], INFINITY};
    for (const Point& point : front_) levels.push_back(point[g]);
    std::sort(levels.begin(), levels.end());
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  }
  std::vector<size_t> all(front_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<uint32_t> box(2 * goals_);
  if (goals_ > 0) cut(all, goals_ - 1, box);
}

// Slices between neighbouring values of one goal; in each only the points that reach its upper side dominate anything.
void Gain::cut(std::vector<size_t> points, size_t goal, std::vector<uint32_t>& box) {
  const std::vector<double>& levels = levels_[goal];
  keep_best(points, goal + 1, [&](size_t i) -> const Point& { return front_[i]; });
  std::vector<uint32_t> sides = {0};
  for (const size_t i : points)
    sides.push_back(
        static_cast<uint32_t>(std::lower_bound(levels.begin(), levels.end(), front_[i][goal]) - levels.begin()));
  sides.push_back(static_cast<uint32_t>(levels.size() - 1));
  std::sort(sides.begin(), sides.end());
  sides.erase(std::unique(sides.begin(), sides.end()), sides.end());
  for (size_t s = goal == 0 ? sides.size() - 2 : 0; s + 1 < sides.size(); ++s) {
    box[2 * goal] = sides[s];
    box[2 * goal + 1] = sides[s + 1];
    if (goal == 0) {
      sides_.insert(sides_.end(), box.begin(), box.end());
      continue;
    }
    std::vector<size_t> reaching;
    for (const size_t i : points)
      if (front_[i][goal] >= levels[sides[s + 1]]) reaching.push_back(i);
    cut(std::move(reaching), goal - 1, box);
  }
}

double Gain::expected(const Point& mean, const Point& deviation) const {
  std::vector<std::vector<double>> excess(goals_);
  for (size_t g = 0; g < goals_; ++g) {
    for (const double level : levels_[g])
      excess[g].push_back(std::isinf(level) ? 0 : expected_excess(mean[g], deviation[g], level));
  }
  double sum = 0;
  for (size_t at = 0; at < sides_.size(); at += 2 * goals_) {
    double product = 1;
    for (size_t g = 0; g < goals_; ++g) product *= excess[g][sides_[at + 2 * g]] - excess[g][sides_[at + 2 * g + 1]];
    sum += product;
  }
  return sum;
}

}  // namespace condenser::search
