// Fronts, volumes and expected gains against their definitions.

#include <cmath>

#include "condenser/core/rng.hpp"
#include "search/pareto/acquisition.hpp"
#include "search/pareto/front.hpp"
#include "search/pareto/hypervolume.hpp"
#include "support/catch.hpp"

using namespace condenser;
using search::Point;

namespace {

std::vector<Point> points_of(size_t count, size_t goals, uint64_t seed, uint64_t steps) {
  core::Rng rng(seed);
  std::vector<Point> points(count, Point(goals));
  for (Point& p : points)
    for (double& v : p) v = static_cast<double>(rng.below(steps)) / static_cast<double>(steps);
  return points;
}

// Volume of the union of boxes by inclusion and exclusion over all subsets.
double union_volume(const std::vector<Point>& points, const Point& reference) {
  double sum = 0;
  for (uint32_t subset = 1; subset < 1U << points.size(); ++subset) {
    double product = 1;
    int members = 0;
    for (size_t i = 0; i < points.size(); ++i) members += (subset >> i & 1) != 0;
    for (size_t g = 0; g < reference.size(); ++g) {
      double least = INFINITY;
      for (size_t i = 0; i < points.size(); ++i)
        if ((subset >> i & 1) != 0) least = std::min(least, points[i][g]);
      product *= std::max(least - reference[g], 0.0);
    }
    sum += members % 2 == 1 ? product : -product;
  }
  return sum;
}

double normal(core::Rng& rng) {
  return std::sqrt(-2 * std::log(1 - rng.uniform())) * std::cos(6.283185307179586 * rng.uniform());
}

}  // namespace

TEST_CASE("fronts equal their definition, peeled one by one", "[search]") {
  for (size_t goals : {1, 2, 3}) {
    const std::vector<Point> points = points_of(60, goals, goals, 8);
    const std::vector<int> front = search::fronts(points);
    for (size_t i = 0; i < points.size(); ++i) {
      int expected = 0;  // one more than the deepest front that dominates it
      for (size_t j = 0; j < points.size(); ++j)
        if (search::dominates(points[j], points[i])) expected = std::max(expected, front[j] + 1);
      CHECK(front[i] == expected);
    }
  }
  CHECK(search::fronts({}).empty());
  CHECK_FALSE(search::dominates({1, 2}, {1, 2}));
}

TEST_CASE("best first is by front, then by room", "[search]") {
  const std::vector<Point> line = {{0, 4}, {1, 3}, {1.2, 2.8}, {4, 0}, {0, 0}, {3, 1}};
  const std::vector<size_t> order = search::best_first(line);
  CHECK(order == std::vector<size_t>{0, 3, 5, 2, 1, 4});  // both ends, then 5 (shares 1.4), 2 (1.0), 1 (0.6)
  CHECK(search::best_first(std::vector<Point>{{1}, {3}, {2}, {3}}) == std::vector<size_t>{1, 3, 2, 0});
}

TEST_CASE("the balanced point is nearest to the best of all goals", "[search]") {
  CHECK(search::balanced(std::vector<Point>{{0, 1000}, {8, 900}, {10, 0}}) == 1);
  CHECK(search::balanced(std::vector<Point>{{3, 1}, {5, 1}}) == 1);  // no range in the second goal
  CHECK(search::balanced(std::vector<Point>{{1, 2}}) == 0);
  CHECK(search::reference_below(std::vector<Point>{{0, 5}, {10, 5}}, 2) == Point{-1, 3});
}

TEST_CASE("hypervolumes equal the union of boxes", "[search]") {
  for (size_t goals : {1, 2, 3, 4}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const std::vector<Point> points = points_of(9, goals, seed, seed % 2 == 0 ? 4 : 1000);
      const Point reference(goals, 0.2);
      CHECK(search::hypervolume(points, reference) == Approx(union_volume(points, reference)).margin(1e-12));
    }
  }
  CHECK(search::hypervolume({}, {0, 0}) == 0);
  CHECK(search::hypervolume(std::vector<Point>{{2, 3}, {1, 1}}, {0, 0}) == 6);
  CHECK(search::hypervolume(std::vector<Point>{{2, 0}}, {0, 0}) == 0);
}

TEST_CASE("without doubt the expected gain is the gain", "[search]") {
  for (size_t goals : {1, 2, 3, 4}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      std::vector<Point> points = points_of(10, goals, seed, seed % 2 == 0 ? 5 : 1000);
      const Point reference(goals, 0.15);
      const search::Gain gain(points, reference);
      const double before = search::hypervolume(points, reference);
      for (const Point& candidate : points_of(10, goals, seed + 100, 50)) {
        points.push_back(candidate);
        const double expected = search::hypervolume(points, reference) - before;
        points.pop_back();
        CHECK(gain.expected(candidate, Point(goals, 0.0)) == Approx(expected).margin(1e-12));
      }
    }
  }
  CHECK(search::Gain({}, {0, 0}).expected({2, 3}, {0, 0}) == 6);
  CHECK(search::Gain({}, {0, 0}).boxes() == 1);
  CHECK(search::Gain(std::vector<Point>{{1, 2}, {2, 1}}, {0, 0}).boxes() == 3);
}

TEST_CASE("the expected gain is the mean of gains", "[search]") {
  for (size_t goals : {2, 3}) {
    const std::vector<Point> points = points_of(8, goals, 5, 1000);
    const Point reference(goals, 0.1);
    const search::Gain gain(points, reference);
    for (const Point& mean : points_of(4, goals, 9, 1000)) {
      Point deviation(goals, 0.3);
      deviation.back() = mean[0] > 0.5 ? 0.0 : 0.1;  // a known goal among doubtful ones
      core::Rng rng(3);
      constexpr int kDraws = 200000;
      double sum = 0, squares = 0;
      for (int i = 0; i < kDraws; ++i) {
        Point y = mean;
        for (size_t g = 0; g < goals; ++g) y[g] += deviation[g] * normal(rng);
        const double found = gain.expected(y, Point(goals, 0.0));
        sum += found;
        squares += found * found;
      }
      const double average = sum / kDraws, error = std::sqrt(squares / kDraws - average * average) / std::sqrt(kDraws);
      CHECK(std::abs(gain.expected(mean, deviation) - average) < 5 * error + 1e-9);
    }
  }
}

TEST_CASE("one goal's gain is the expected improvement on the best", "[search]") {
  const search::Outlook goal{Eigen::Vector3d(0, 1, 3), Eigen::Vector3d(1, 0.5, 0)};
  const std::vector<Point> known = {{-1}, {1}, {0.5}};
  const Eigen::VectorXd score = search::log_expected_gain(std::vector{goal}, known, {-2});
  CHECK(score(0) == Approx(std::log(search::expected_excess(0, 1, 1))));
  CHECK(score(1) == Approx(std::log(search::expected_excess(1, 0.5, 1))));
  CHECK(score(2) == Approx(std::log(2.0)));
}

TEST_CASE("several goals are worth their gain of hypervolume, whatever is dominated among the known", "[search]") {
  const std::vector<search::Outlook> goals = {{Eigen::Vector2d(2, 0), Eigen::Vector2d(0.5, 0)},
                                              {Eigen::Vector2d(2, 0), Eigen::Vector2d(0, 0)}};
  const std::vector<Point> front = {{0, 3}, {3, 0}}, more = {{0, 3}, {-1, -1}, {3, 0}, {3, 0}};
  const Eigen::VectorXd score = search::log_expected_gain(goals, front, {-0.3, -0.3});
  CHECK(score(0) == Approx(std::log(search::Gain(front, {-0.3, -0.3}).expected({2, 2}, {0.5, 0}))));
  CHECK(score(1) < score(0) - 1);
  CHECK((search::log_expected_gain(goals, more, {-0.3, -0.3}) - score).norm() < 1e-12);
}

TEST_CASE("constraints count by their probability", "[search]") {
  const std::vector<search::Outlook> limited = {{Eigen::Vector2d(0, 1), Eigen::Vector2d(1, 1)},
                                                {Eigen::Vector2d(5, 5), Eigen::Vector2d(0, 0)}};
  const std::vector<double> limits = {1, 5};
  const Eigen::VectorXd chance = search::log_chance(limited, limits);
  CHECK(chance(0) == Approx(std::log(0.1586553)));
  CHECK(chance(1) == Approx(std::log(0.5)));
  const search::Outlook hopeless{Eigen::Vector2d(-50, -49), Eigen::Vector2d(1, 1)};  // still told apart
  const Eigen::VectorXd little = search::log_chance(std::vector{hopeless}, std::vector{1.0});
  CHECK(little(1) - little(0) == Approx(50.5).epsilon(1e-3));
}
