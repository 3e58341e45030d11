#include "search/predictors/opinion.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/search/metrics.hpp"
#include "search/predictors/warp.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kWidest = 128;  // folded columns of a feature block: tables of pools are made anew for each proposal

MatrixXd on_scales(const std::vector<double>& values, double ceiling) {
  MatrixXd y(std::ssize(values), 2);
  y.col(0) = warped(values, Warp::Ranks, ceiling);
  y.col(1) = warped(values, Warp::SoftLog, ceiling);
  return y;
}

}  // namespace

double ceiling_of(const Objective& objective) {
  const Goal& goal = objective.goals.front();
  const bool percent = goal.metric() != nullptr && goal.metric()->unit == "%" && goal.higher_is_better;
  return percent ? 100 : 0;
}

bool grows_with_size(const Objective& objective) {
  const Goal& goal = objective.goals.front();
  const Metric* metric = goal.metric();
  return metric != nullptr && metric->better_when_larger && metric->higher_is_better == goal.higher_is_better;
}

Field::Field(const Knowledge& known, const std::vector<Catalogue::Member>& pending,
             const std::vector<Catalogue::Member>& pool) {
  std::vector<const Features*> rows;
  const auto add = [&](const Catalogue::Member& m) {
    if (row_of_.try_emplace(m.entry->fingerprint, static_cast<int>(rows.size())).second)
      rows.push_back(&m.entry->features);
  };
  for (const Measured& m : known.measured) add(m.member);
  for (const Catalogue::Member& m : pending) add(m);
  for (const Catalogue::Member& m : pool) add(m);
  table_ = feature_table(rows, kWidest);
}

Similarity Field::similarity(std::span<const int> columns) const {
  return whole_ != nullptr ? whole_->similarity.of(columns) : similarity_of(table_, columns);
}

int Field::row(const core::Fingerprint& print) const {
  const auto& rows = whole_ != nullptr ? whole_->row_of : row_of_;
  const auto found = rows.find(print);
  return found == rows.end() ? -1 : found->second;
}

Scale::Scale(std::span<const double> values, const VectorXd& scaled, double ceiling) : ceiling_(ceiling) {
  for (size_t i = 0; i < values.size(); ++i) points_.emplace_back(scaled(static_cast<Index>(i)), plain(values[i]));
  std::sort(points_.begin(), points_.end());
  if (points_.empty()) return;
  const auto& [u, v] = points_[points_.size() / 2];
  if (points_.back().first > u + 1e-9) slope_ = (points_.back().second - v) / (points_.back().first - u);
}

// Percentages near their ceiling are told apart by what is missing.
double Scale::plain(double v) const { return ceiling_ > 0 ? -std::log(std::max(ceiling_ - v, 0.01)) : v; }

double Scale::value(double u) const {
  if (points_.empty()) return 0;
  const auto after = std::lower_bound(points_.begin(), points_.end(), std::pair<double, double>{u, -INFINITY});
  double v = 0;
  if (after == points_.end()) {
    v = points_.back().second + slope_ * (u - points_.back().first);
  } else if (after == points_.begin()) {
    v = points_.front().second + slope_ * (u - points_.front().first);
  } else {
    const auto before = after - 1;
    const double width = after->first - before->first;
    v = before->second + (width > 0 ? (u - before->first) / width : 0) * (after->second - before->second);
  }
  return ceiling_ > 0 ? ceiling_ - std::exp(-v) : v;
}

Scale scale_of(const Knowledge& known, const Objective& objective) {
  const std::vector<double> values = known.values();
  const double ceiling = ceiling_of(objective);
  VectorXd scaled;
  if (!values.empty()) scaled = on_scales(values, ceiling).rowwise().mean();
  return {values, scaled, ceiling};
}

namespace {

struct Case {
  Observations seen;
  std::vector<double> values;
  Similarity similarity;
  GaussianProcessOptions options;
  Fit fitted(const Field& field, int most) const {
    std::vector<int> among;
    for (const size_t i : best_and_latest(values, static_cast<size_t>(most))) among.push_back(static_cast<int>(i));
    return fit(field.table(), similarity, seen, among, options);
  }
};

Case case_of(const Question& q, const Knowledge& known, const std::vector<Catalogue::Member>& pending,
             const Field& field, const OpinionOptions& o) {
  Case c;
  c.values = known.values();
  for (const Measured& m : known.measured) c.seen.measured.push_back(field.row(m.member.entry->fingerprint));
  for (const Catalogue::Member& m : pending) {
    const int row = field.row(m.entry->fingerprint);
    if (row >= 0 && std::find(c.seen.measured.begin(), c.seen.measured.end(), row) == c.seen.measured.end())
      c.seen.pending.push_back(row);
  }
  c.seen.noise.resize(std::ssize(c.values));
  for (size_t i = 0; i < c.values.size(); ++i) c.seen.noise(static_cast<Index>(i)) = known.measured[i].noise;
  if (!c.values.empty()) c.seen.values = on_scales(c.values, ceiling_of(q.past.objective));
  c.options = {
      .belief = grows_with_size(q.past.objective) ? o.belief : 0, .deviation = o.doubt, .lesson = q.past.lesson};
  c.similarity = field.similarity(c.seen.columns());
  return c;
}

}  // namespace

Opinion opinion_of(const Question& q, const Knowledge& known, const std::vector<Catalogue::Member>& pending,
                   const Field& field, const OpinionOptions& o, const Fit* fitted) {
  const Case c = case_of(q, known, pending, field, o);
  Opinion opinion;
  opinion.fit = fitted != nullptr ? *fitted : c.fitted(field, o.fitted);
  Prediction p = predict(field.table(), c.similarity, c.seen, opinion.fit, c.options);
  opinion.mean = std::move(p.mean);
  opinion.deviation = std::move(p.deviation);
  opinion.noise = opinion.fit.noise();
  if (!c.values.empty()) opinion.best = c.seen.values.rowwise().mean().maxCoeff();
  return opinion;
}

Learned learned_of(const Question& q, const Knowledge& known, const Field& field, const OpinionOptions& o) {
  const Case c = case_of(q, known, {}, field, o);
  Learned learned{c.fitted(field, o.fitted), {}};
  learned.slopes = slopes(field.table(), c.similarity, c.seen, learned.fit, c.options);
  return learned;
}

}  // namespace condenser::search
