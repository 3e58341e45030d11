#include "search/predictors/gaussian_process.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>

#include "search/predictors/lbfgs.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kJitter = 1e-6;
constexpr double kSmall = 1e-12;

// Places of the hyper-parameters: one length scale per block, then these.
struct Places {
  explicit Places(size_t blocks) : signal(static_cast<Index>(blocks)) {}
  Index signal;
  Index noise() const { return signal + 1; }
  Index weight() const { return signal + 2; }
  Index size() const { return signal + 3; }
};

struct Prior {
  VectorXd mean, variance;
};

Prior prior_of(const Similarity& s, const Places& at) {
  Prior p{VectorXd::Zero(at.size()), VectorXd::Ones(at.size())};
  p.mean.head(at.signal) = s.lengths;
  p.mean(at.noise()) = -2.6;
  p.variance(at.noise()) = 2.25;
  p.mean(at.weight()) = -0.7;
  return p;
}

// Of rows (down) to columns (across), without noise.
MatrixXd similar(const std::vector<MatrixXd>& distances, const VectorXd& t, const Places& at) {
  MatrixXd e = MatrixXd::Zero(distances.front().rows(), distances.front().cols());
  for (size_t g = 0; g < distances.size(); ++g) e -= 0.5 * std::exp(-2 * t(static_cast<Index>(g))) * distances[g];
  return std::exp(2 * t(at.signal)) * e.array().exp();
}

MatrixXd kernel(const Similarity& s, const VectorXd& t, const Places& at) {
  MatrixXd k = similar(s.distances, t, at) + std::exp(2 * t(at.weight())) * s.linear;
  k.array() += 1;
  return k;
}

std::vector<int> joined(std::vector<int> a, const std::vector<int>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

VectorXd at_rows(const VectorXd& v, std::span<const int> rows) {
  VectorXd picked(std::ssize(rows));
  for (size_t i = 0; i < rows.size(); ++i) picked(static_cast<Index>(i)) = v(rows[i]);
  return picked;
}

}  // namespace

std::vector<int> Observations::columns() const { return joined(measured, pending); }

double Fit::noise() const { return std::exp(t(t.size() - 2)); }

double fit_cost(const Similarity& among, const MatrixXd& y, const VectorXd& noise, const VectorXd& t,
                VectorXd& gradient) {
  const Places at(among.distances.size());
  const Prior prior = prior_of(among, at);
  const Index n = y.rows();
  const double scales = static_cast<double>(y.cols());
  const MatrixXd e = similar(among.distances, t, at);
  const double w2 = std::exp(2 * t(at.weight())), v = std::exp(t(at.noise()));
  MatrixXd k = e + w2 * among.linear;
  k.array() += 1;
  k.diagonal().array() += v * noise.array() + kJitter;
  const Eigen::LLT<MatrixXd> factor(k);
  gradient = VectorXd::Zero(t.size());
  if (factor.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  const MatrixXd alpha = factor.solve(y);
  const VectorXd away = t - prior.mean;
  const double value = 0.5 * (y.array() * alpha.array()).sum() / scales +
                       factor.matrixLLT().diagonal().array().log().sum() +
                       0.5 * (away.array().square() / prior.variance.array()).sum();
  const MatrixXd a = factor.solve(MatrixXd::Identity(n, n)) - alpha * alpha.transpose() / scales;
  const MatrixXd ae = a.array() * e.array();
  for (size_t g = 0; g < among.distances.size(); ++g) {
    const auto i = static_cast<Index>(g);
    gradient(i) = 0.5 * std::exp(-2 * t(i)) * (ae.array() * among.distances[g].array()).sum();
  }
  gradient(at.signal) = ae.sum();
  gradient(at.noise()) = 0.5 * v * (a.diagonal().array() * noise.array()).sum();
  gradient(at.weight()) = w2 * (a.array() * among.linear.array()).sum();
  gradient += (away.array() / prior.variance.array()).matrix();
  return value;
}

Fit fit(const FeatureTable& table, const Similarity& s, const Observations& seen, std::span<const int> among,
        const GaussianProcessOptions& o) {
  const Places at(s.distances.size());
  Fit start{prior_of(s, at).mean};
  if (s.distances.empty() || among.size() < 2) return start;
  std::vector<int> rows;
  const Index n = std::ssize(among);
  MatrixXd y(n, seen.values.cols());
  for (Index i = 0; i < n; ++i) {
    const int k = among[static_cast<size_t>(i)];
    rows.push_back(seen.measured[static_cast<size_t>(k)]);
    y.row(i) = seen.values.row(k).array() - o.belief * table.belief(rows.back());
  }
  const auto picked = [&](const MatrixXd& m) {
    MatrixXd p(n, n);
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < n; ++i) p(i, j) = m(rows[static_cast<size_t>(i)], among[static_cast<size_t>(j)]);
    return p;
  };
  Similarity part;
  part.lengths = s.lengths;
  for (const MatrixXd& d : s.distances) part.distances.push_back(picked(d));
  part.linear = picked(s.linear);
  const VectorXd noise = at_rows(seen.noise, among);
  const auto cost = [&](const VectorXd& x, VectorXd& gradient) { return fit_cost(part, y, noise, x, gradient); };
  return {minimize(cost, start.t, o.iterations)};
}

Prediction predict(const FeatureTable& table, const Similarity& s, const Observations& seen, const Fit& fit,
                   const GaussianProcessOptions& o) {
  const Index n = std::ssize(seen.measured), all = n + std::ssize(seen.pending);
  const Places at(s.distances.size());
  const VectorXd belief = o.belief * table.belief;
  // Nothing tells candidates apart, or nothing is known.
  if (s.distances.empty() || all == 0) return {belief, VectorXd::Ones(table.rows())};
  const std::vector<int> columns = seen.columns();
  VectorXd values = VectorXd::Zero(all), noise = VectorXd::Ones(all);  // minus the belief
  if (n > 0) {
    values.head(n) = seen.values.rowwise().mean() - at_rows(belief, seen.measured);
    noise.head(n) = seen.noise;
  }
  const MatrixXd k = kernel(s, fit.t, at);  // [rows, columns]
  MatrixXd among(all, all);
  for (Index i = 0; i < all; ++i) among.row(i) = k.row(columns[static_cast<size_t>(i)]);
  among.diagonal().array() += fit.noise() * noise.array() + kJitter;
  if (all > n && n > 0) {  // pending: their mean given the measured
    const VectorXd alpha = among.topLeftCorner(n, n).llt().solve(values.head(n));
    for (Index i = n; i < all; ++i) values(i) = k.row(columns[static_cast<size_t>(i)]).head(n) * alpha;
  }
  const Eigen::LLT<MatrixXd> factor(among);
  Prediction p;
  p.mean = k * factor.solve(values) + belief;
  if (!o.deviation) return p;
  VectorXd variance = VectorXd::Constant(table.rows(), 1 + std::exp(2 * fit.t(at.signal)));
  if (table.linear.cols() > 0)
    variance += std::exp(2 * fit.t(at.weight())) * table.linear.rowwise().squaredNorm() /
                static_cast<double>(table.linear.cols());
  variance -= factor.matrixL().solve(k.transpose()).colwise().squaredNorm().transpose();
  p.deviation = variance.array().max(kSmall).sqrt();
  return p;
}

}  // namespace condenser::search
