#include "nn/plane_kernels.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/lively.hpp"

namespace condenser::nn {
namespace {

using testing::random_floats;

void check_near(const std::vector<float>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == Approx(expected[i]).epsilon(1e-5).margin(1e-5));
}

}  // namespace

TEST_CASE("halving averages 2x2 pixels and leaves out odd ends", "[nn]") {
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>{4, 6}, {5, 7}, {2, 2}, {9, 28}}) {
    const int64_t planes = 3, oh = h / 2, ow = w / 2;
    const auto x = random_floats(planes * h * w, 1), dy = random_floats(planes * oh * ow, 2);
    std::vector<float> y(dy.size()), dx(x.size(), 99.0f);
    halve_forward(x.data(), planes, h, w, y.data());
    halve_backward(dy.data(), planes, h, w, dx.data());
    std::vector<double> y_expected(y.size()), dx_expected(x.size());
    for (int64_t p = 0; p < planes; ++p)
      for (int64_t r = 0; r < 2 * oh; ++r)
        for (int64_t c = 0; c < 2 * ow; ++c) {
          const int64_t i = (p * h + r) * w + c, o = (p * oh + r / 2) * ow + c / 2;
          y_expected[o] += 0.25 * x[i];
          dx_expected[i] += 0.25 * dy[o];
        }
    check_near(y, y_expected);
    check_near(dx, dx_expected);
  }
}

TEST_CASE("means and scaled planes have their formulas and gradients", "[nn]") {
  for (const int64_t pixels : {1, 7, 49, 200}) {
    constexpr int64_t kPlanes = 5;
    const auto x = random_floats(kPlanes * pixels, 1), dy = random_floats(kPlanes * pixels, 2);
    const auto factor = random_floats(kPlanes, 3), d_means = random_floats(kPlanes, 4);
    std::vector<double> means_expected(kPlanes), d_factor_expected(kPlanes);
    std::vector<double> y_expected(x.size()), dx_expected(x.size()), spread_expected(x.size());
    for (int64_t p = 0; p < kPlanes; ++p)
      for (int64_t i = p * pixels; i < (p + 1) * pixels; ++i) {
        means_expected[p] += double(x[i]) / double(pixels);
        spread_expected[i] = double(d_means[p]) / double(pixels);
        y_expected[i] = double(factor[p]) * x[i];
        dx_expected[i] = double(factor[p]) * dy[i];
        d_factor_expected[p] += double(dy[i]) * x[i];
      }
    std::vector<float> means(kPlanes), y(x.size()), dx(x.size()), d_factor(kPlanes);
    means_forward(x.data(), kPlanes, pixels, means.data());
    check_near(means, means_expected);
    means_backward(d_means.data(), kPlanes, pixels, dx.data());
    check_near(dx, spread_expected);
    scale_forward(x.data(), factor.data(), kPlanes, pixels, y.data());
    check_near(y, y_expected);
    scale_backward(x.data(), factor.data(), dy.data(), kPlanes, pixels, dx.data(), d_factor.data());
    check_near(dx, dx_expected);
    check_near(d_factor, d_factor_expected);
  }
}

}  // namespace condenser::nn
