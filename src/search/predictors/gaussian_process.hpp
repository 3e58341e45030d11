#pragma once
// What is not yet measured, predicted with honest doubt: a Gaussian process over the features of candidates.
//
//   y ~ N(belief * b(x), k(x, x'))
//   k = 1 + s^2 exp(-1/2 sum_g D_g / l_g^2) + w^2 z.z' / d + (v c(x) + 1e-6) [x = x']
//
// D_g: squared distance in feature block g; z: the linear part, d columns; b: the belief that larger networks are
// better until the data says otherwise (features/feature_table.hpp makes all three); c: how much of the noise a
// measurement has. Hyper-parameters (l_g, s, v, w) by maximum a posteriori: log l ~ N(1/2 log G, 1), of decisions
// beside a graph 1.4 more; log s ~ N(0, 1); log v ~ N(-2.6, 2.25); log w ~ N(-0.7, 1). L-BFGS on analytic gradients
// from the prior's mean, so that a fit is a function of its data alone. (Rasmussen and Williams 2006, sections 2.7
// and 5.4.)

#include <Eigen/Core>
#include <span>
#include <vector>

#include "condenser/search/lesson.hpp"
#include "search/features/feature_table.hpp"

namespace condenser::search {

struct GaussianProcessOptions {
  double belief = 1.5;
  int iterations = 12;
  bool deviation = true;           // is asked for: most of what a prediction takes
  const Lesson* lesson = nullptr;  // of earlier studies
};

// Rows of a table that were measured, and those that are being measured.
struct Observations {
  std::vector<int> measured, pending;
  Eigen::MatrixXd values;            // [measured, scales]: the objective on one or several scales, each standardised
  Eigen::VectorXd noise;             // [measured]: c above
  std::vector<int> columns() const;  // measured, then pending: those of a Similarity
};

// Of the logarithms of the hyper-parameters: l of each block, s, v, w; independent normal distributions. With a lesson
// their means are moved by what it says, and their deviations halved at least.
struct HyperPrior {
  Eigen::VectorXd mean, variance;
};
HyperPrior hyper_prior(const FeatureTable&, const Lesson*);

struct Fit {
  Eigen::VectorXd t;     // logarithms of the hyper-parameters
  double lesson = 0;     // the weight of slopes that were learned elsewhere; 0: dropped, or there are none
  bool kernel = false;   // hyper-parameters that were learned elsewhere are believed
  double gain = 0;       // by both, in the logarithm of the marginal likelihood
  double noise() const;  // variance of a single measurement
};

// What a fit minimizes: minus the logarithm of the posterior density of the hyper-parameters, up to a constant, the
// likelihood being the geometric mean over the scales; and its gradient. `among`: of the measured rows to each other;
// `y`: their values minus the belief. Infinite where the kernel is not positive definite.
double fit_cost(const Similarity& among, const Eigen::MatrixXd& y, const Eigen::VectorXd& noise,
                const Eigen::VectorXd& t, const HyperPrior&, Eigen::VectorXd& gradient);
// One kernel for all scales. `similarity` is of the columns of the observations; the fit looks at the measured ones
// numbered `among` alone. A lesson changes the hyper-prior and the mean, y ~ N((1 - a) belief * b(x) + a m . z, k),
// with its slopes m. Of no lesson, and its hyper-prior with a = 0, 1/4, 1/2, 3/4, 1, that is taken under which a part
// of the measured is most likely, each with hyper-parameters of its own; a between 0 and 1 has to be e times as likely
// as the others. Before four are measured a = 1.
Fit fit(const FeatureTable&, const Similarity&, const Observations&, std::span<const int> among,
        const GaussianProcessOptions&);

// Of the linear part, belief and lesson included: what a deviation of each column of `linear` is expected to add.
Eigen::VectorXd slopes(const FeatureTable&, const Similarity&, const Observations&, const Fit&,
                       const GaussianProcessOptions&);
// m . z for every row.
Eigen::VectorXd taught(const FeatureTable&, const Lesson&);

struct Prediction {
  Eigen::VectorXd mean, deviation;  // of all rows (deviation: none unless asked for), in the units of the values,
                                    // averaged over the scales
};
// Pending rows take their own mean as value: they lower the doubt only (Desautels et al. 2014, "GP-BUCB").
Prediction predict(const FeatureTable&, const Similarity&, const Observations&, const Fit&,
                   const GaussianProcessOptions&);

}  // namespace condenser::search
