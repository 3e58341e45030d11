#include "search/predictors/gaussian_process.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "search/predictors/lbfgs.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;

constexpr double kJitter = 1e-6;
constexpr double kSmall = 1e-12;

// ---- features as matrices ----

// Keys that a single candidate has say nothing about others.
MatrixXf block_matrix(std::span<const Features* const> rows, size_t block) {
  std::unordered_map<uint64_t, int> holders;
  for (const Features* f : rows) {
    for (const auto& entry : f->blocks[block]) ++holders[entry.first];
  }
  std::unordered_map<uint64_t, Index> columns;
  for (const Features* f : rows) {
    for (const auto& entry : f->blocks[block]) {
      if (holders[entry.first] > 1) columns.try_emplace(entry.first, static_cast<Index>(columns.size()));
    }
  }
  MatrixXf m = MatrixXf::Zero(std::ssize(rows), static_cast<Index>(columns.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [key, count] : rows[i]->blocks[block]) {
      if (const auto column = columns.find(key); column != columns.end())
        m(static_cast<Index>(i), column->second) = count;
    }
  }
  return m;
}

// To mean squared distance 1 between two rows, which is twice the summed variance. False: all rows are equal.
bool scale(MatrixXf& m) {
  if (m.cols() == 0) return false;
  m.rowwise() -= m.colwise().mean().eval();
  const double mean_distance = 2 * static_cast<double>(m.squaredNorm()) / static_cast<double>(m.rows());
  if (mean_distance < kSmall) return false;
  m /= static_cast<float>(std::sqrt(mean_distance));
  return true;
}

VectorXd standardised(VectorXd column) {
  column.array() -= column.mean();
  const double deviation = std::sqrt(column.squaredNorm() / static_cast<double>(column.size()));
  return deviation < 1e-9 ? VectorXd() : VectorXd(column / deviation);
}

// ---- the process ----

// Places of the hyper-parameters, all as logarithms: one length scale per block, then these.
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

Prior prior_of(const Places& at) {
  Prior p{VectorXd::Zero(at.size()), VectorXd::Ones(at.size())};
  p.mean.head(at.signal).setConstant(0.5 * std::log(std::max<double>(1, static_cast<double>(at.signal))));
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

MatrixXd rows_of(const MatrixXd& m, std::span<const int> rows, Index columns) {
  MatrixXd picked(std::ssize(rows), columns);
  for (size_t i = 0; i < rows.size(); ++i) picked.row(static_cast<Index>(i)) = m.row(rows[i]).head(columns);
  return picked;
}

}  // namespace

double fit_cost(const Similarity& among, const VectorXd& y, const VectorXd& t, VectorXd& gradient) {
  const Places at(among.distances.size());
  const Prior prior = prior_of(at);
  const Index n = y.size();
  const MatrixXd e = similar(among.distances, t, at);
  const double w2 = std::exp(2 * t(at.weight())), noise = std::exp(t(at.noise()));
  MatrixXd k = e + w2 * among.linear;
  k.array() += 1;
  k.diagonal().array() += noise + kJitter;
  const Eigen::LLT<MatrixXd> factor(k);
  gradient = VectorXd::Zero(t.size());
  if (factor.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  const VectorXd alpha = factor.solve(y);
  const VectorXd away = t - prior.mean;
  const double value = 0.5 * y.dot(alpha) + factor.matrixLLT().diagonal().array().log().sum() +
                       0.5 * (away.array().square() / prior.variance.array()).sum();
  const MatrixXd a = factor.solve(MatrixXd::Identity(n, n)) - alpha * alpha.transpose();
  for (size_t g = 0; g < among.distances.size(); ++g) {
    const auto i = static_cast<Index>(g);
    gradient(i) = 0.5 * std::exp(-2 * t(i)) * (a.array() * e.array() * among.distances[g].array()).sum();
  }
  gradient(at.signal) = (a.array() * e.array()).sum();
  gradient(at.noise()) = 0.5 * noise * a.trace();
  gradient(at.weight()) = w2 * (a.array() * among.linear.array()).sum();
  gradient += (away.array() / prior.variance.array()).matrix();
  return value;
}

FeatureTable feature_table(std::span<const Features* const> rows) {
  FeatureTable table;
  for (size_t block = 0; block < kBlocks; ++block) {
    MatrixXf m = block_matrix(rows, block);
    if (scale(m)) table.blocks.push_back(std::move(m));
  }
  const Index n = std::ssize(rows);
  table.belief = VectorXd::Zero(n);
  std::vector<VectorXd> columns;
  for (size_t c = 0; c < kLinears; ++c) {
    VectorXd column(n);
    for (Index i = 0; i < n; ++i) column(i) = rows[static_cast<size_t>(i)]->linear[c];
    column = standardised(std::move(column));
    if (column.size() == 0) continue;
    if (c == kLogParams || c == kLogMacs || c == kMeanDepth) table.belief += column / 3;
    columns.push_back(std::move(column));
  }
  table.linear.resize(n, std::ssize(columns));
  for (size_t c = 0; c < columns.size(); ++c) table.linear.col(static_cast<Index>(c)) = columns[c];
  return table;
}

Similarity similarity_of(const FeatureTable& table, std::span<const int> columns) {
  const Index n = std::ssize(columns);
  if (n == 0) return {{}, MatrixXd::Zero(table.rows(), 0)};
  Similarity s;
  for (const MatrixXf& block : table.blocks) {
    MatrixXf measured(n, block.cols());
    for (Index j = 0; j < n; ++j) measured.row(j) = block.row(columns[static_cast<size_t>(j)]);
    MatrixXf d = -2 * block * measured.transpose();
    d.colwise() += block.rowwise().squaredNorm();
    d.rowwise() += measured.rowwise().squaredNorm().transpose();
    s.distances.push_back(d.array().max(0.0f).cast<double>());
  }
  if (table.linear.cols() == 0) {
    s.linear = MatrixXd::Zero(table.rows(), n);
    return s;
  }
  MatrixXd measured(n, table.linear.cols());
  for (Index j = 0; j < n; ++j) measured.row(j) = table.linear.row(columns[static_cast<size_t>(j)]);
  s.linear = table.linear * measured.transpose() / std::max<double>(1, static_cast<double>(table.linear.cols()));
  return s;
}

Prediction predict(const FeatureTable& table, const Similarity& s, std::span<const int> columns, const VectorXd& y,
                   const GaussianProcessOptions& o) {
  const Index n = y.size(), all = std::ssize(columns);
  const Places at(s.distances.size());
  const VectorXd belief = o.belief * table.belief;
  VectorXd t = prior_of(at).mean;
  // Nothing tells candidates apart, or nothing is measured.
  if (s.distances.empty() || n == 0) return {belief, VectorXd::Ones(table.rows()), 0};
  VectorXd values(all);  // minus the belief
  for (Index i = 0; i < n; ++i) values(i) = y(i) - belief(columns[static_cast<size_t>(i)]);
  if (n > 1) {
    Similarity among;
    const auto measured = columns.first(static_cast<size_t>(n));
    for (const MatrixXd& d : s.distances) among.distances.push_back(rows_of(d, measured, n));
    among.linear = rows_of(s.linear, measured, n);
    const auto cost = [&](const VectorXd& x, VectorXd& gradient) {
      return fit_cost(among, values.head(n), x, gradient);
    };
    t = minimize(cost, t, o.iterations);
  }

  const double w2 = std::exp(2 * t(at.weight())), noise = std::exp(t(at.noise()));
  MatrixXd k = similar(s.distances, t, at) + w2 * s.linear;  // [rows, measured and pending]
  k.array() += 1;
  const auto factor_of = [&](Index count) {
    MatrixXd among = rows_of(k, columns.first(static_cast<size_t>(count)), count);
    among.diagonal().array() += noise + kJitter;
    return Eigen::LLT<MatrixXd>(among);
  };
  if (all > n) {  // pending: their mean given the measured
    const VectorXd mean = k.leftCols(n) * factor_of(n).solve(values.head(n));
    for (Index i = n; i < all; ++i) values(i) = mean(columns[static_cast<size_t>(i)]);
  }
  const Eigen::LLT<MatrixXd> factor = factor_of(all);
  Prediction p;
  p.mean = k * factor.solve(values) + belief;
  VectorXd variance = VectorXd::Constant(table.rows(), 1 + std::exp(2 * t(at.signal)));
  if (table.linear.cols() > 0)
    variance += w2 * table.linear.rowwise().squaredNorm() / static_cast<double>(table.linear.cols());
  variance -= factor.matrixL().solve(k.transpose()).colwise().squaredNorm().transpose();
  p.noise = noise;
  p.deviation = variance.array().max(kSmall).sqrt();
  return p;
}

}  // namespace condenser::search
