// Newton-Schulz with the quintic whose coefficients the authors of Muon tuned for fast growth of small singular values.
#include "train/optim/muon.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <mutex>

namespace condenser::train {

void orthogonalize(float* matrix, int64_t rows, int64_t columns) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  // Products are cut by the sizes of caches; fixed ones give the same sums on every processor.
  static std::once_flag fixed;
  std::call_once(fixed, [] { Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20); });
  Eigen::Map<Matrix> given(matrix, rows, columns);
  constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f, kEps = 1e-7f;
  constexpr int kSteps = 5;
  const bool tall = rows > columns;
  Matrix x = tall ? Matrix(given.transpose()) : Matrix(given);
  x /= x.norm() + kEps;
  for (int i = 0; i < kSteps; ++i) {
    const Matrix a = x * x.transpose();
    const Matrix b = kB * a + kC * (a * a);
    x = kA * x + b * x;
  }
  if (tall)
    given = x.transpose();
  else
    given = x;
}

void muon(const MuonCoefficients& k, const nn::Segment& segment, float* value, float* gradient, float* velocity) {
  const int64_t rows = segment.shape[0] / segment.groups, columns = segment.size / segment.shape[0];
  const float rate = k.lr * 0.2f * std::sqrt(static_cast<float>(std::max(rows, columns)));
  std::vector<float> update(static_cast<size_t>(rows * columns));
  for (int64_t group = 0; group < segment.groups; ++group) {
    const int64_t begin = group * rows * columns;
    for (int64_t i = 0; i < rows * columns; ++i) {
      float& m = velocity[begin + i];
      const float g = gradient[begin + i];
      m = k.momentum * m + (1 - k.momentum) * g;
      update[static_cast<size_t>(i)] = (1 - k.momentum) * g + k.momentum * m;
      gradient[begin + i] = 0.0f;
    }
    orthogonalize(update.data(), rows, columns);
    for (int64_t i = 0; i < rows * columns; ++i)
      value[begin + i] = k.keep * value[begin + i] - rate * update[static_cast<size_t>(i)];
  }
}

}  // namespace condenser::train
