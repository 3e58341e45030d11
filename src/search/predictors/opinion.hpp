#pragma once
// The inquisitor's opinion of networks that nobody has measured: a Gaussian process on two scales of the objective.

#include "search/predictors/gaussian_process.hpp"
#include "search/predictors/knowledge.hpp"

namespace condenser::search {

struct OpinionOptions {
  double belief = 1.5;  // how much larger networks are believed better before any is measured
  int fitted = 96;      // networks that hyper-parameters are learned from
  bool doubt = true;    // deviations are asked for
};

// Networks to have an opinion of: a whole space, or some of it beside what is known.
class Field {
 public:
  explicit Field(const Catalogue::Whole& whole) : whole_(&whole) {}
  Field(const Knowledge&, const std::vector<Catalogue::Member>& pending, const std::vector<Catalogue::Member>& pool);

  const FeatureTable& table() const { return whole_ != nullptr ? whole_->table : table_; }
  Similarity similarity(std::span<const int> columns) const;
  int row(const core::Fingerprint&) const;  // -1: not here

 private:
  const Catalogue::Whole* whole_ = nullptr;
  FeatureTable table_;
  std::unordered_map<core::Fingerprint, int, core::FingerprintHash> row_of_;
};

// The objective's own unit and back. Between measured values linear, beyond them as steep as among the better half.
class Scale {
 public:
  Scale(std::span<const double> values, const Eigen::VectorXd& scaled, double ceiling);
  double value(double scaled) const;

 private:
  double plain(double u) const;
  std::vector<std::pair<double, double>> points_;  // scaled, value; ascending
  double slope_ = 0;
  double ceiling_ = 0;
};

struct Opinion {
  Eigen::VectorXd mean, deviation;  // of the field's rows, on the scale
  double noise = 0;                 // variance of a single measurement
  double best = 0;                  // of the measured, on the scale
  Fit fit;
};

// `fitted`: hyper-parameters of an earlier opinion on the same knowledge.
Opinion opinion_of(const Question&, const Knowledge&, const std::vector<Catalogue::Member>& pending, const Field&,
                   const OpinionOptions&, const Fit* fitted = nullptr);

// What was measured teaches.
struct Learned {
  Fit fit;
  Eigen::VectorXd slopes;  // per column of the field's linear part
};
Learned learned_of(const Question&, const Knowledge&, const Field&, const OpinionOptions& = {});

// The percentage that the objective cannot pass; 0: none is known.
double ceiling_of(const Objective&);
// Larger networks usually have better values: accuracy and loss; not costs, nor scores that divide by costs.
bool grows_with_size(const Objective&);
// Values on the predictor's scale, and back.
Scale scale_of(const Knowledge&, const Objective&);

}  // namespace condenser::search
