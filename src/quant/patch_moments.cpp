// Patches of chosen positions, gathered and multiplied group by group.
#include "quant/patch_moments.hpp"

#include <algorithm>

namespace condenser::quant {

PatchMoments::PatchMoments(const arch::Op& op, const arch::Shape& input, const arch::Shape& output)
    : input_(input), output_(output) {
  if (const auto* conv = std::get_if<arch::Conv2d>(&op)) {
    op_ = *conv;
  } else {
    op_.kernel = {1, 1};
    op_.stride = {1, 1};
  }
  const int64_t taps = input.c / op_.groups * op_.kernel.h * op_.kernel.w;
  products_.assign(static_cast<size_t>(op_.groups), Eigen::MatrixXd::Zero(taps, taps));
  sums_.assign(static_cast<size_t>(op_.groups), Eigen::VectorXd::Zero(taps));
}

void PatchMoments::add(std::span<const float> images, int64_t number) {
  const int64_t pixels = output_.h * output_.w, step = (pixels + kPositions - 1) / kPositions;
  const int64_t in_group = input_.c / op_.groups, item = input_.elements(), taps = sums_.front().size();
  const int64_t samples = std::ssize(images) / item, per_sample = (pixels + step - 1) / step;
  Eigen::MatrixXf patches(taps, samples * per_sample);
  for (int64_t g = 0; g < groups(); ++g) {
    int64_t column = 0;
    for (int64_t s = 0; s < samples; ++s) {
      const float* image = images.data() + s * item + g * in_group * input_.h * input_.w;
      for (int64_t at = (number + s) % step; at < pixels; at += step, ++column) {
        const int64_t top = at / output_.w * op_.stride.h - op_.pad.top;
        const int64_t left = at % output_.w * op_.stride.w - op_.pad.left;
        int64_t row = 0;
        for (int64_t c = 0; c < in_group; ++c)
          for (int64_t y = top; y < top + op_.kernel.h; ++y)
            for (int64_t x = left; x < left + op_.kernel.w; ++x, ++row) {
              const bool inside = y >= 0 && y < input_.h && x >= 0 && x < input_.w;
              patches(row, column) = inside ? image[(c * input_.h + y) * input_.w + x] : 0.0f;
            }
      }
    }
    const auto seen = patches.leftCols(column);
    const auto i = static_cast<size_t>(g);
    products_[i] += (seen * seen.transpose()).cast<double>();
    sums_[i] += seen.rowwise().sum().cast<double>();
    if (g == 0) count_ += column;
  }
}

Eigen::MatrixXd PatchMoments::moments(int64_t group, bool about_mean) const {
  const auto i = static_cast<size_t>(group);
  const double n = static_cast<double>(std::max<int64_t>(count_, 1));
  Eigen::MatrixXd result = products_[i] / n;
  if (about_mean) result -= sums_[i] * sums_[i].transpose() / (n * n);
  return result;
}

}  // namespace condenser::quant
