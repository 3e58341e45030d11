// The predictor: warps, minimizer, Gaussian process, what a past says, and what is said of it.

#include <cmath>
#include <numeric>

#include "search/predictors/gaussian_process.hpp"
#include "search/predictors/lbfgs.hpp"
#include "search/predictors/opinion.hpp"
#include "search/predictors/warp.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Eigen::VectorXd;
using search::Warp;

TEST_CASE("warps keep the order, share ties, and have mean 0 and deviation 1", "[search]") {
  const std::vector<double> values{10, 91.2, 91.5, 90, 90, 91.6, 55};
  for (const Warp warp : {Warp::Ranks, Warp::SoftLog}) {
    const VectorXd y = search::warped(values, warp, 100);
    CHECK(y.mean() == Approx(0).margin(1e-12));
    CHECK(y.squaredNorm() / 7 == Approx(1));
    CHECK(y(3) == y(4));
    for (int i = 0; i < 7; ++i)
      for (int j = 0; j < 7; ++j)
        if (values[size_t(i)] < values[size_t(j)]) CHECK(y(i) < y(j));
  }
  // Good ones are told apart although bad ones are far away.
  const VectorXd soft = search::warped(values, Warp::SoftLog, 100);
  CHECK(soft(5) - soft(1) > 0.1 * (soft(5) - soft(0)));
  CHECK(search::warped(std::vector<double>{3, 3, 3}, Warp::Ranks).norm() == 0);  // nothing to tell
  CHECK(search::warped(std::vector<double>{100, 99}, Warp::SoftLog, 100).allFinite());
  CHECK(search::warped({}, Warp::Ranks).size() == 0);
}

TEST_CASE("normal scores are those of the normal distribution", "[search]") {
  // Quantiles of 1/6, 1/2, 5/6 are -0.9674216, 0, 0.9674216; scaled to deviation 1.
  const VectorXd y = search::warped(std::vector<double>{1, 2, 3}, Warp::Ranks);
  CHECK(y(2) == Approx(std::sqrt(1.5)));
  const VectorXd five = search::warped(std::vector<double>{1, 2, 3, 4, 5}, Warp::Ranks);
  CHECK(five(4) / five(3) == Approx(1.2815515655 / 0.5244005127));  // quantiles of 0.9 and 0.7
}

TEST_CASE("the minimizer finds the valley of Rosenbrock's function", "[search]") {
  const auto f = [](const VectorXd& x, VectorXd& g) {
    g.resize(2);
    g << -400 * x(0) * (x(1) - x(0) * x(0)) - 2 * (1 - x(0)), 200 * (x(1) - x(0) * x(0));
    return 100 * std::pow(x(1) - x(0) * x(0), 2) + std::pow(1 - x(0), 2);
  };
  const VectorXd x = search::minimize(f, VectorXd{{-1.2, 1.0}}, 200);
  CHECK(x(0) == Approx(1).margin(0.01));
  CHECK(x(1) == Approx(1).margin(0.02));
}

namespace {

// Candidates of three decisions with four options; the graph is a chain of their operators.
std::vector<search::Features> chains() {
  std::vector<search::Features> all;
  for (int i = 0; i < 64; ++i) {
    const std::vector<int> choice{i % 4, i / 4 % 4, i / 16};
    search::Graph graph;
    graph.nodes.push_back({.op = "input", .inputs = {}});
    for (int k = 0; k < 3; ++k)
      graph.nodes.push_back(
          {.op = "op" + std::to_string(choice[size_t(k)]), .parametric = choice[size_t(k)] > 1, .inputs = {k}});
    graph.nodes.push_back({.op = "output", .inputs = {3}});
    const double size = 10 + choice[0] + choice[1] + choice[2];
    all.push_back(search::features_of({choice}, graph, {size, size * size, 0, 0}));
  }
  return all;
}

double truth(int i) { return (i % 4) * 1.0 + (i / 4 % 4 == 2 ? 2.0 : 0.0) - 0.5 * (i / 16); }

struct Problem {
  std::vector<search::Features> features = chains();
  search::FeatureTable table;
  search::Observations seen;

  explicit Problem(int measured) {
    std::vector<const search::Features*> rows;
    for (const search::Features& f : features) rows.push_back(&f);
    table = search::feature_table(rows);
    std::vector<double> values;
    for (int k = 0; k < measured; ++k) {
      seen.measured.push_back(k * 37 % 64);
      values.push_back(truth(seen.measured.back()));
    }
    seen.noise = VectorXd::Ones(measured);
    seen.values.resize(measured, 2);
    if (measured == 0) return;
    seen.values.col(0) = search::warped(values, Warp::Ranks);
    seen.values.col(1) = search::warped(values, Warp::SoftLog);
  }
  search::Prediction ask(std::vector<int> pending = {}) const {
    search::Observations all = seen;
    all.pending = std::move(pending);
    const search::Similarity similarity = search::similarity_of(table, all.columns());
    std::vector<int> among(seen.measured.size());
    std::iota(among.begin(), among.end(), 0);
    const search::Fit fit = search::fit(table, similarity, all, among, {});
    return search::predict(table, similarity, all, fit, {});
  }
};

}  // namespace

TEST_CASE("the gradient of a fit is that of its cost", "[search]") {
  const Problem problem(20);
  search::Similarity among = search::similarity_of(problem.table, problem.seen.measured);
  const auto of_measured = [&](const Eigen::MatrixXd& m) {
    Eigen::MatrixXd rows(20, 20);
    for (int i = 0; i < 20; ++i) rows.row(i) = m.row(problem.seen.measured[size_t(i)]);
    return rows;
  };
  for (Eigen::MatrixXd& d : among.distances) d = of_measured(d);
  among.linear = of_measured(among.linear);
  VectorXd noise = VectorXd::Ones(20);
  noise(3) = 0.1;
  VectorXd t(Eigen::Index(among.distances.size()) + 3), gradient, ignored;
  const auto cost = [&](const VectorXd& at, VectorXd& g) {
    return search::fit_cost(among, problem.seen.values, noise, at, search::hyper_prior(problem.table, nullptr), g);
  };
  for (Eigen::Index i = 0; i < t.size(); ++i) t(i) = 0.3 * double(i % 4) - 0.5;
  REQUIRE(std::isfinite(cost(t, gradient)));
  for (Eigen::Index i = 0; i < t.size(); ++i) {
    INFO("hyper-parameter " << i);
    VectorXd up = t, down = t;
    up(i) += 1e-5;
    down(i) -= 1e-5;
    const double slope = (cost(up, ignored) - cost(down, ignored)) / 2e-5;
    CHECK(gradient(i) == Approx(slope).epsilon(1e-4).margin(1e-5));
  }
}

TEST_CASE("what was measured is known, what is unlike it is in doubt", "[search]") {
  const Problem problem(24);
  const search::Prediction p = problem.ask();
  REQUIRE(p.mean.allFinite());
  CHECK((p.deviation.array() > 0).all());
  double known = 0, unknown = 0;
  std::vector<char> measured(64, 0);
  for (size_t k = 0; k < problem.seen.measured.size(); ++k) {
    const int row = problem.seen.measured[k];
    measured[size_t(row)] = 1;
    CHECK(std::abs(p.mean(row) - problem.seen.values.row(Eigen::Index(k)).mean()) < 0.6);
  }
  for (int i = 0; i < 64; ++i)
    (measured[size_t(i)] ? known : unknown) += p.deviation(i) / (measured[size_t(i)] ? 24 : 40);
  CHECK(known < unknown);
}

TEST_CASE("predictions follow the truth on what was not measured", "[search]") {
  const Problem problem(24);
  const search::Prediction p = problem.ask();
  int right = 0, pairs = 0;
  for (int i = 0; i < 64; ++i) {
    for (int j = 0; j < i; ++j) {
      if (std::abs(truth(i) - truth(j)) < 0.25) continue;
      ++pairs;
      right += (p.mean(i) > p.mean(j)) == (truth(i) > truth(j));
    }
  }
  CHECK(right > 0.85 * pairs);
}

TEST_CASE("what is pending lowers doubt and moves no mean", "[search]") {
  const Problem problem(12);
  const search::Prediction before = problem.ask(), after = problem.ask({50, 51});
  CHECK(after.deviation(50) < 0.8 * before.deviation(50));
  CHECK((after.deviation.array() <= before.deviation.array() + 1e-9).all());
  CHECK((after.mean - before.mean).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("without measurements larger networks are believed better; equal candidates do no harm", "[search]") {
  Problem problem(0);
  const search::Prediction p = problem.ask();
  CHECK(p.mean(63) > p.mean(0));
  problem.seen.measured = {0, 1};
  problem.seen.values = VectorXd{{1, -1}};
  problem.seen.noise = VectorXd::Ones(2);
  const std::vector<const search::Features*> rows(5, &problem.features[0]);
  problem.table = search::feature_table(rows);
  CHECK(problem.ask().mean.allFinite());
}

TEST_CASE("kept columns of similarity are those of a fresh one", "[search]") {
  const Problem problem(5);
  const search::SimilarityCache cache(problem.table);
  const std::vector<int> columns{7, 3, 7};
  const search::Similarity kept = cache.of(columns), fresh = search::similarity_of(problem.table, columns);
  REQUIRE(kept.distances.size() == fresh.distances.size());
  for (size_t b = 0; b < kept.distances.size(); ++b) CHECK((kept.distances[b] - fresh.distances[b]).norm() < 1e-3);
  CHECK((kept.linear - fresh.linear).norm() < 1e-3);
}

TEST_CASE("folded features keep distances on average", "[search]") {
  const Problem problem(0);
  std::vector<const search::Features*> rows;
  for (const search::Features& f : problem.features) rows.push_back(&f);
  const std::vector<int> columns{0, 21, 63};
  const auto of = [&](int widest) { return search::similarity_of(search::feature_table(rows, widest), columns); };
  const search::Similarity exact = of(4096), folded = of(64);
  const Eigen::MatrixXd &a = exact.distances.back(), &b = folded.distances.back();
  const double together = (a.array() - a.mean()).cwiseProduct(b.array() - b.mean()).sum();
  CHECK(together > 0.8 * std::sqrt((a.array() - a.mean()).square().sum() * (b.array() - b.mean()).square().sum()));
}

TEST_CASE("a scale leads back to the objective's own unit", "[search]") {
  const std::vector<double> values{90, 91, 55, 91.6, 80};
  const VectorXd scaled = search::warped(values, Warp::SoftLog, 100);
  const search::Scale scale(values, scaled, 100);
  for (size_t i = 0; i < values.size(); ++i) CHECK(scale.value(scaled(Eigen::Index(i))) == Approx(values[i]));
  CHECK(scale.value(scaled(3) + 1) > 91.6);
  CHECK(scale.value(scaled(3) + 100) < 100);
  CHECK(scale.value(scaled(2) - 1) < 55);
  const search::Scale flat(std::vector<double>{3, 3}, VectorXd::Zero(2), 0);
  CHECK(flat.value(5) == 3);
}
