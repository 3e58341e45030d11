#pragma once
// How promising networks are where mean and deviation of one metric are not all that counts: several goals, constraints
// on what is measured, goals that follow from a metric and from costs.

#include <functional>

#include "search/pareto/acquisition.hpp"
#include "search/predictors/opinion.hpp"

namespace condenser::search {

struct PromiseQuestion {
  const Question& q;
  size_t most;  // measured networks that are learned from
  const std::vector<Catalogue::Member>& pending;
  const std::vector<Catalogue::Member>& members;
  const OpinionOptions& options;
  double optimism;                                  // deviations
  std::function<Field(const Knowledge&)> field_of;  // pending, members and what is known, to have an opinion of
};

// What is expected of one goal, a row for each member and then for each pending network. Costs are known; a metric
// comes from the predictor; an expression over one metric and costs from that metric and its costs. Higher is better.
struct Expected {
  Outlook outlook;
  std::function<double(Eigen::Index row, double z)> own;  // in its own unit, z deviations from the mean
};

// The score of a member is the logarithm of what it is expected to add to the best that is known to be feasible, times
// the probability that it meets every constraint; that probability alone while nothing feasible is known. One goal adds
// its expected improvement (without constraints it is its mean + optimism that counts, as of a metric). Several add
// hypervolume, for which a metric that is itself a goal is taken on the predictor's scale: in percent, what very bad
// networks have over others would outweigh all that good ones have. Metrics are taken for independent. A pending
// network counts as if its mean had been measured.
class Promise {
 public:
  explicit Promise(const PromiseQuestion&);  // something must have been measured; keeps what it is given no longer
  const std::vector<double>& scores() const { return scores_; }  // of the members
  // Of the first goal, as a full examination would find it; the gain is of that goal, of several a share of the
  // hypervolume of what is known.
  Forecast forecast(size_t member) const;
  std::string reason(size_t member) const;

 private:
  Eigen::VectorXd optimistic(double optimism, Eigen::Index rows) const;
  std::string expected_text(size_t goal, size_t member) const;
  Objective objective_;
  std::vector<Expected> goals_;
  Eigen::VectorXd chance_, gain_;  // logarithms; gain: empty while nothing is known that could be added to
  double volume_ = 0;              // that the known front commands
  std::vector<double> scores_;
};

bool needs_promise(const Objective&);

}  // namespace condenser::search
