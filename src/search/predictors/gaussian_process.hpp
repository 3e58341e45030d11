#pragma once
// What is not yet measured, predicted with honest doubt: a Gaussian process over the features of candidates.
//
//   y ~ N(belief * b(x), k(x, x'))
//   k = 1 + s^2 exp(-1/2 sum_g D_g / l_g^2) + w^2 z.z' / d + (v + 1e-6) [x = x']
//
// D_g: squared distance in feature block g, each block scaled to mean squared distance 1 over all rows; z: the linear
// part, standardised over all rows, d columns; b: mean of the standardised logarithms of size and work and of the mean
// depth, the belief that larger networks are better until the data says otherwise. Hyper-parameters (l_g, s, v, w) by
// maximum a posteriori: log l ~ N(1/2 log G, 1), log s ~ N(0, 1), log v ~ N(-2.6, 2.25), log w ~ N(-0.7, 1), L-BFGS on
// analytic gradients from the prior's mean, so that a fit is a function of its data alone.
// (Rasmussen and Williams 2006, sections 2.7 and 5.4.)

#include <Eigen/Core>
#include <span>
#include <vector>

#include "search/features/features.hpp"

namespace condenser::search {

// Rows of candidates, scaled over all of them.
struct FeatureTable {
  std::vector<Eigen::MatrixXf> blocks;  // [rows, keys], blocks without any difference left out
  Eigen::MatrixXd linear;               // [rows, d]; constant columns left out
  Eigen::VectorXd belief;               // [rows]
  Eigen::Index rows() const { return belief.size(); }
};
FeatureTable feature_table(std::span<const Features* const>);

// Of all rows (down) to the measured ones (across): what kernels are made of, made once for several fits.
struct Similarity {
  std::vector<Eigen::MatrixXd> distances;  // per block
  Eigen::MatrixXd linear;                  // z.z' / d
};
Similarity similarity_of(const FeatureTable&, std::span<const int> columns);

// What a fit minimizes: minus the logarithm of the posterior density of the hyper-parameters t = [log l of each block,
// log s, log v, log w], up to a constant, and its gradient. `among`: of the measured rows to each other; `y`: their
// values minus the belief. Infinite where the kernel is not positive definite.
double fit_cost(const Similarity& among, const Eigen::VectorXd& y, const Eigen::VectorXd& t, Eigen::VectorXd& gradient);

struct Prediction {
  Eigen::VectorXd mean, deviation;  // of all rows, in the units of y
  double noise = 0;                 // variance of a single measurement, as learned
};

struct GaussianProcessOptions {
  double belief = 1.5;
  int iterations = 12;
};

// `columns`: the measured rows, then the pending ones, in the order of the similarity's columns; `y`: values of the
// measured ones, standardised by the caller. Pending rows take their own mean as value: they lower the doubt only
// (Desautels et al. 2014, "GP-BUCB").
Prediction predict(const FeatureTable&, const Similarity&, std::span<const int> columns, const Eigen::VectorXd& y,
                   const GaussianProcessOptions&);

}  // namespace condenser::search
