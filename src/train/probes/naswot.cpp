// How differently the images of a batch switch the units of an untrained network on: log |det K|, where K_ij counts the
// units that are in the same state for images i and j (Mellor et al. 2021, arXiv 2006.04647). Counts are exact.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <optional>

#include "train/probes/activation.hpp"
#include "train/probes/probes.hpp"

namespace condenser::train {
namespace {

// Of a symmetric matrix [n, n] without negative eigenvalues; minus infinity when one is 0. Cholesky's, in place.
double log_determinant(double* a, int64_t n) {
  double sum = 0;
  for (int64_t j = 0; j < n; ++j) {
    double pivot = a[j * n + j];
    const double scale = pivot;
    for (int64_t k = 0; k < j; ++k) pivot -= a[j * n + k] * a[j * n + k];
    if (pivot <= 1e-12 * scale) return -INFINITY;
    const double root = std::sqrt(pivot);
    sum += 2 * std::log(root);
    a[j * n + j] = root;
    for (int64_t i = j + 1; i < n; ++i) {
      double x = a[i * n + j];
      for (int64_t k = 0; k < j; ++k) x -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = x / root;
    }
  }
  return sum;
}

}  // namespace

void naswot(const Subject& subject, search::Findings& findings) {
  const at::NoGradGuard no_gradients;
  const int64_t n = subject.stimulus.x.size(0);
  at::Tensor same = at::zeros({n, n}, at::kDouble);
  nn::SpecNet net(subject.spec, subject.weights, nn::Kernels::Library);
  net.forward(subject.stimulus.x, nn::Mode::Training, [&](const arch::Node& node, const at::Tensor& value) {
    const std::optional<double> on = switches_at(node.op);
    if (!on) return;
    const at::Tensor code = value.gt(*on).flatten(1).to(at::kFloat);  // sums below 2^24 are exact
    const at::Tensor count = code.sum(1);
    const at::Tensor agree = 2 * at::matmul(code, code.t()) + (code.size(1) - count.unsqueeze(1) - count.unsqueeze(0));
    same += agree.to(at::kDouble);
  });
  found(findings, subject, "naswot", log_determinant(same.mutable_data_ptr<double>(), n));
}

}  // namespace condenser::train
