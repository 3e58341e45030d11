#include "search/predictors/gaussian_process.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>

#include "condenser/core/team.hpp"
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

constexpr double kLessonVariance = 0.25;  // of hyper-parameters around those of an earlier study
constexpr size_t kFewest = 4;             // measured networks that judge a lesson
// Slopes are right or they are not: a weight between has to be e times as likely, or the best of many is a lucky one.
constexpr double kBetween = 1;
constexpr size_t kJudges = 32;  // at most: judging takes six fits

constexpr int64_t kRowsTogether = 128;  // by one thread

// Of so many rows (down) to columns (across), without noise.
MatrixXd similar(const std::vector<MatrixXd>& distances, const VectorXd& t, const Places& at, Index first,
                 Index count) {
  MatrixXd e = MatrixXd::Zero(count, distances.front().cols());
  for (size_t g = 0; g < distances.size(); ++g)
    e -= 0.5 * std::exp(-2 * t(static_cast<Index>(g))) * distances[g].middleRows(first, count);
  return std::exp(2 * t(at.signal)) * e.array().exp();
}

MatrixXd kernel(const Similarity& s, const VectorXd& t, const Places& at) {
  MatrixXd k(s.linear.rows(), s.linear.cols());
  core::for_parts(k.rows(), kRowsTogether, [&](int64_t first, int64_t count) {
    k.middleRows(first, count) =
        similar(s.distances, t, at, first, count) + std::exp(2 * t(at.weight())) * s.linear.middleRows(first, count);
    k.middleRows(first, count).array() += 1;
  });
  return k;
}

// The mean of what was not measured, with a lesson of this weight.
VectorXd expected(const FeatureTable& table, const GaussianProcessOptions& o, double weight) {
  VectorXd mean = (1 - weight) * o.belief * table.belief;
  if (weight > 0) mean += weight * taught(table, *o.lesson);
  return mean;
}

double prior_cost(const VectorXd& t, const HyperPrior& prior) {
  return 0.5 * ((t - prior.mean).array().square() / prior.variance.array()).sum();
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

HyperPrior hyper_prior(const FeatureTable& table, const Lesson* lesson) {
  const Places at(table.kinds.size());
  HyperPrior p{VectorXd::Zero(at.size()), VectorXd::Ones(at.size())};
  p.mean.head(at.signal) = table.lengths;
  p.mean(at.noise()) = -2.6;
  p.variance(at.noise()) = 2.25;
  p.mean(at.weight()) = -0.7;
  if (lesson == nullptr) return p;
  const auto learn = [&](Index i, double away) {
    p.mean(i) += away;
    p.variance(i) = kLessonVariance;
  };
  for (size_t b = 0; b < table.kinds.size(); ++b)
    if (const auto found = lesson->lengths.find(block_name(table.kinds[b])); found != lesson->lengths.end())
      learn(static_cast<Index>(b), found->second);
  learn(at.signal, lesson->signal);
  learn(at.noise(), lesson->noise);
  learn(at.weight(), lesson->weight);
  return p;
}

VectorXd taught(const FeatureTable& table, const Lesson& lesson) {
  VectorXd mean = VectorXd::Zero(table.rows());
  for (size_t c = 0; c < table.columns.size(); ++c)
    if (const auto found = lesson.slopes.find(linear_name(table.columns[c])); found != lesson.slopes.end())
      mean += found->second * table.linear.col(static_cast<Index>(c));
  return mean;
}

double Fit::noise() const { return std::exp(t(t.size() - 2)); }

double fit_cost(const Similarity& among, const MatrixXd& y, const VectorXd& noise, const VectorXd& t,
                const HyperPrior& prior, VectorXd& gradient) {
  const Places at(among.distances.size());
  const Index n = y.rows();
  const double scales = static_cast<double>(y.cols());
  const MatrixXd e = similar(among.distances, t, at, 0, n);
  const double w2 = std::exp(2 * t(at.weight())), v = std::exp(t(at.noise()));
  MatrixXd k = e + w2 * among.linear;
  k.array() += 1;
  k.diagonal().array() += v * noise.array() + kJitter;
  const Eigen::LLT<MatrixXd> factor(k);
  gradient = VectorXd::Zero(t.size());
  if (factor.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  const MatrixXd alpha = factor.solve(y);
  const double value = 0.5 * (y.array() * alpha.array()).sum() / scales +
                       factor.matrixLLT().diagonal().array().log().sum() + prior_cost(t, prior);
  const MatrixXd a = factor.solve(MatrixXd::Identity(n, n)) - alpha * alpha.transpose() / scales;
  const MatrixXd ae = a.array() * e.array();
  for (size_t g = 0; g < among.distances.size(); ++g) {
    const auto i = static_cast<Index>(g);
    gradient(i) = 0.5 * std::exp(-2 * t(i)) * (ae.array() * among.distances[g].array()).sum();
  }
  gradient(at.signal) = ae.sum();
  gradient(at.noise()) = 0.5 * v * (a.diagonal().array() * noise.array()).sum();
  gradient(at.weight()) = w2 * (a.array() * among.linear.array()).sum();
  gradient += ((t - prior.mean).array() / prior.variance.array()).matrix();
  return value;
}

namespace {

struct Fitted {
  VectorXd t;
  double likelihood = 0;  // its logarithm, up to a constant
};

Fitted fitted(const FeatureTable& table, const Similarity& s, const Observations& seen, std::span<const int> among,
              const GaussianProcessOptions& o, double lesson, bool kernel) {
  std::vector<int> rows;
  const Index n = std::ssize(among);
  const VectorXd mean = expected(table, o, lesson);
  MatrixXd y(n, seen.values.cols());
  for (Index i = 0; i < n; ++i) {
    const int k = among[static_cast<size_t>(i)];
    rows.push_back(seen.measured[static_cast<size_t>(k)]);
    y.row(i) = seen.values.row(k).array() - mean(rows.back());
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
  const HyperPrior prior = hyper_prior(table, kernel ? o.lesson : nullptr);
  const auto cost = [&](const VectorXd& x, VectorXd& gradient) { return fit_cost(part, y, noise, x, prior, gradient); };
  VectorXd t = minimize(cost, prior.mean, o.iterations), gradient;
  return {t, o.lesson == nullptr ? 0 : prior_cost(t, prior) - cost(t, gradient)};
}

// Evenly spread.
std::vector<int> judges(std::span<const int> among) {
  std::vector<int> some;
  const size_t n = std::min(among.size(), kJudges);
  for (size_t i = 0; i < n; ++i) some.push_back(among[i * among.size() / n]);
  return some;
}

}  // namespace

Fit fit(const FeatureTable& table, const Similarity& s, const Observations& seen, std::span<const int> among,
        const GaussianProcessOptions& o) {
  Fit best;
  if (o.lesson != nullptr && among.size() < kFewest) {
    best.lesson = 1;
    best.kernel = true;
  }
  if (s.distances.empty() || among.size() < 2) {
    best.t = hyper_prior(table, o.lesson).mean;
    return best;
  }
  if (o.lesson != nullptr && among.size() >= kFewest) {
    const std::vector<int> some = judges(among);
    const double without = fitted(table, s, seen, some, o, 0, false).likelihood;
    double highest = 0;
    for (const double weight : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const double gain = fitted(table, s, seen, some, o, weight, true).likelihood - without;
      const bool between = weight > 0 && weight < 1;
      const double score = gain - (between ? kBetween : 0);
      if (score <= highest) continue;
      highest = score;
      best.gain = gain;
      best.lesson = weight;
      best.kernel = true;
    }
  }
  best.t = fitted(table, s, seen, among, o, best.lesson, best.kernel).t;
  return best;
}

VectorXd slopes(const FeatureTable& table, const Similarity& s, const Observations& seen, const Fit& fit,
                const GaussianProcessOptions& o) {
  VectorXd sum = VectorXd::Zero(table.linear.cols());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const Linear kind = table.columns[c];
    const bool believed = kind == kLogParams || kind == kLogMacs || kind == kMeanDepth;
    if (believed) sum(static_cast<Index>(c)) += (1 - fit.lesson) * o.belief / 3;
    if (fit.lesson == 0) continue;
    const auto found = o.lesson->slopes.find(linear_name(kind));
    if (found != o.lesson->slopes.end()) sum(static_cast<Index>(c)) += fit.lesson * found->second;
  }
  const Index n = std::ssize(seen.measured);
  if (s.distances.empty() || n == 0 || sum.size() == 0) return sum;
  const Places at(s.distances.size());
  const MatrixXd k = kernel(s, fit.t, at);
  MatrixXd among(n, n), z(n, sum.size());
  for (Index i = 0; i < n; ++i) {
    among.row(i) = k.row(seen.measured[static_cast<size_t>(i)]).head(n);
    z.row(i) = table.linear.row(seen.measured[static_cast<size_t>(i)]);
  }
  among.diagonal() += fit.noise() * seen.noise;
  among.diagonal().array() += kJitter;
  const VectorXd values = seen.values.rowwise().mean() - at_rows(expected(table, o, fit.lesson), seen.measured);
  const VectorXd alpha = among.llt().solve(values);
  return sum + std::exp(2 * fit.t(at.weight())) / static_cast<double>(sum.size()) * (z.transpose() * alpha);
}

Prediction predict(const FeatureTable& table, const Similarity& s, const Observations& seen, const Fit& fit,
                   const GaussianProcessOptions& o) {
  const Index n = std::ssize(seen.measured), all = n + std::ssize(seen.pending);
  const Places at(s.distances.size());
  const VectorXd belief = expected(table, o, fit.lesson);
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
  core::for_parts(table.rows(), kRowsTogether, [&](int64_t first, int64_t count) {
    variance.segment(first, count) -=
        factor.matrixL().solve(k.middleRows(first, count).transpose()).colwise().squaredNorm().transpose();
  });
  p.deviation = variance.array().max(kSmall).sqrt();
  return p;
}

}  // namespace condenser::search
