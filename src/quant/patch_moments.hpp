#pragma once
// What a convolution or linear sees of the calibration samples, as second moments: all that learned rounding asks.

#include <Eigen/Core>

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/arch/ops.hpp"
#include "condenser/arch/shape.hpp"

namespace condenser::quant {

class PatchMoments {
 public:
  static constexpr int64_t kPositions = 64;  // of one sample at most, spread over its map

  PatchMoments() = default;
  PatchMoments(const arch::Op&, const arch::Shape& input, const arch::Shape& output);

  // images: [n, c, h, w], inputs of the operator. `number`: of the first of them; which positions are taken depends on
  // it.
  void add(std::span<const float> images, int64_t number);

  bool empty() const { return count_ == 0; }
  int64_t groups() const { return static_cast<int64_t>(sums_.size()); }
  // E[x xᵀ], or about the mean, of the patches x of a group: [taps, taps].
  Eigen::MatrixXd moments(int64_t group, bool about_mean) const;

 private:
  arch::Conv2d op_;  // a linear is a convolution of one pixel
  arch::Shape input_, output_;
  int64_t count_ = 0;
  std::vector<Eigen::MatrixXd> products_;  // per group: sum of x xᵀ
  std::vector<Eigen::VectorXd> sums_;
};

}  // namespace condenser::quant
