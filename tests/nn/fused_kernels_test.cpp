// The loops against plain formulas in double precision; their gradients against differences.
#include "nn/fused_kernels.hpp"

#include <cmath>
#include <vector>

#include "condenser/core/rng.hpp"
#include "support/catch.hpp"

namespace condenser::nn {
namespace {

// More pixels than a block of the gate, and no whole number of vectors.
constexpr PlaneShape kShape{2, 5, 75};
constexpr int64_t kChannels = kShape.channels, kCount = kShape.images * kChannels * kShape.pixels;

constexpr Squash kAll[] = {Squash::Identity, Squash::Relu,      Squash::Relu6,       Squash::Silu,
                           Squash::Sigmoid,  Squash::HardSwish, Squash::HardSigmoid, Squash::Tanh};

double reference(Squash squash, double z) {
  switch (squash) {
    case Squash::Identity: return z;
    case Squash::Relu: return std::max(0.0, z);
    case Squash::Relu6: return std::clamp(z, 0.0, 6.0);
    case Squash::Silu: return z / (1 + std::exp(-z));
    case Squash::Sigmoid: return 1 / (1 + std::exp(-z));
    case Squash::HardSwish: return z * std::clamp(z + 3, 0.0, 6.0) / 6;
    case Squash::HardSigmoid: return std::clamp(z + 3, 0.0, 6.0) / 6;
    case Squash::Tanh: return std::tanh(z);
  }
  return NAN;
}

int64_t channel(int64_t i) { return i / kShape.pixels % kChannels; }

// An operand with coefficients of its own.
struct Data {
  std::vector<float> x, scale, shift, center;
  explicit Data(uint64_t seed) : x(kCount), scale(kChannels), shift(kChannels), center(kChannels) {
    core::Rng rng(seed);
    for (float& v : x) v = static_cast<float>(3 * rng.normal());
    for (float& v : scale) v = static_cast<float>(rng.uniform(-2, 2));
    for (float& v : shift) v = static_cast<float>(rng.uniform(-1, 1));
    for (float& v : center) v = static_cast<float>(rng.uniform(-1, 1));
  }
  PlaneOperand operand() const { return {x.data(), scale.data(), shift.data(), center.data()}; }
  double z(int64_t i) const { return double(scale[channel(i)]) * x[i] + shift[channel(i)]; }
};

std::vector<double> softmax(const std::vector<double>& z) {
  std::vector<double> p(z.size());
  for (int64_t i = 0; i < kCount; ++i) {
    double sum = 0;
    const int64_t first = i - channel(i) * kShape.pixels;  // of the same pixel
    for (int64_t c = 0; c < kChannels; ++c) sum += std::exp(z[first + c * kShape.pixels]);
    p[i] = std::exp(z[i]) / sum;
  }
  return p;
}

enum class Kind { Single, Add, Gate };

// y as a function of both operands' z, in double.
std::vector<double> value(Kind kind, Squash squash, const std::vector<double>& za, const std::vector<double>& zb) {
  std::vector<double> y(kCount);
  const auto p = softmax(za);
  for (int64_t i = 0; i < kCount; ++i)
    y[i] = reference(squash, kind == Kind::Single ? za[i] : kind == Kind::Add ? za[i] + zb[i] : p[i] * zb[i]);
  return y;
}

bool near_kink(Squash squash, double z) {
  return (squash == Squash::Relu || squash == Squash::Relu6 || squash == Squash::HardSwish ||
          squash == Squash::HardSigmoid) &&
         (std::abs(z) < 0.01 || std::abs(z - 6) < 0.01 || std::abs(std::abs(z) - 3) < 0.01);
}

}  // namespace

TEST_CASE("moments are sums around a pivot", "[nn]") {
  const Data d(1);
  std::vector<float> sums(kChannels, 0.0f), squares(kChannels, 0.0f);
  moments(d.x.data(), kShape, d.center.data(), sums.data(), squares.data());
  std::vector<double> sum(kChannels), square(kChannels);
  for (int64_t i = 0; i < kCount; ++i) {
    const double v = double(d.x[i]) - d.center[channel(i)];
    sum[channel(i)] += v, square[channel(i)] += v * v;
  }
  for (int64_t c = 0; c < kChannels; ++c) {
    CHECK(sums[c] == Approx(sum[c]).epsilon(1e-5).margin(1e-3));
    CHECK(squares[c] == Approx(square[c]).epsilon(1e-5));
  }
}

TEST_CASE("sums over large planes are as exact as their floats", "[nn]") {
  constexpr PlaneShape kLarge{1, 1, 1'000'003};
  core::Rng rng(7);
  std::vector<float> x(kLarge.pixels), dy(kLarge.pixels), dz(kLarge.pixels);
  for (float& v : x) v = static_cast<float>(rng.uniform(1, 2));
  for (float& v : dy) v = static_cast<float>(rng.uniform(1, 2));
  double sum_x = 0, square_x = 0, sum_dy = 0, product = 0;
  for (int64_t i = 0; i < kLarge.pixels; ++i)
    sum_x += x[i], square_x += double(x[i]) * x[i], sum_dy += dy[i], product += double(dy[i]) * x[i];
  const float one = 1.0f, zero = 0.0f;
  const PlaneOperand operand{x.data(), &one, &zero, &zero};
  const auto near = [](float got, double exact) { return std::abs(got - exact) < 3e-7 * exact; };

  float sum = 0, square = 0;
  moments(x.data(), kLarge, &zero, &sum, &square);
  CHECK(near(sum, sum_x));
  CHECK(near(square, square_x));
  float sums = 0, products = 0, others = 0;
  squash_backward(Squash::Relu, operand, dy.data(), kLarge, dz.data(), {&sums, &products});
  CHECK(near(sums, sum_dy));
  CHECK(near(products, product));
  sums = products = 0;
  add_backward(Squash::Relu, operand, operand, dy.data(), kLarge, dz.data(), {&sums, &products}, &others);
  CHECK(near(sums, sum_dy));
  CHECK(near(products, product));
  CHECK(near(others, product));
  CHECK(dz == dy);
}

TEST_CASE("fused forward loops compute their formulas", "[nn]") {
  const Data a(2), b(3);
  std::vector<double> za(kCount), zb(kCount);
  for (int64_t i = 0; i < kCount; ++i) za[i] = a.z(i), zb[i] = b.z(i);
  std::vector<float> y(kCount), scratch(kChannels * kGateBlock);
  for (const Squash squash : kAll) {
    INFO("squash " << static_cast<int>(squash));
    for (const Kind kind : {Kind::Single, Kind::Add, Kind::Gate}) {
      INFO("kind " << static_cast<int>(kind));
      if (kind == Kind::Single) squash_forward(squash, a.operand(), kShape, y.data());
      if (kind == Kind::Add) add_forward(squash, a.operand(), b.operand(), kShape, y.data());
      if (kind == Kind::Gate) gate_forward(squash, a.operand(), b.operand(), kShape, scratch.data(), y.data());
      const auto expected = value(kind, squash, za, zb);
      for (int64_t i = 0; i < kCount; ++i) REQUIRE(y[i] == Approx(expected[i]).epsilon(1e-5).margin(2e-6));
    }
  }
}

TEST_CASE("far values of the exponential do not overflow", "[nn]") {
  const std::vector<float> x{-1000.0f, -90.0f, 0.0f, 90.0f, 1000.0f};
  const std::vector<float> one(5, 1.0f), zero(5, 0.0f);
  std::vector<float> y(5), scratch(5 * kGateBlock);
  const PlaneOperand operand{x.data(), one.data(), zero.data(), zero.data()};
  squash_forward(Squash::Silu, operand, {1, 1, 5}, y.data());
  CHECK(y[0] == Approx(0).margin(1e-6));
  CHECK(y[2] == 0.0f);
  CHECK(y[4] == 1000.0f);
  const PlaneOperand ones{one.data(), one.data(), zero.data(), zero.data()};
  gate_forward(Squash::Identity, operand, ones, {1, 5, 1}, scratch.data(), y.data());
  CHECK(y[4] == Approx(1));
  CHECK(y[0] == Approx(0).margin(1e-6));
}

TEST_CASE("fused backward loops are the gradients of the forward ones", "[nn]") {
  const Data a(4), b(5), dy(6);
  std::vector<double> za(kCount), zb(kCount);
  for (int64_t i = 0; i < kCount; ++i) za[i] = a.z(i), zb[i] = b.z(i);
  for (const Squash squash : kAll) {
    INFO("squash " << static_cast<int>(squash));
    for (const Kind kind : {Kind::Single, Kind::Add, Kind::Gate}) {
      INFO("kind " << static_cast<int>(kind));
      std::vector<float> dza(kCount), dzb(kCount), scratch(kChannels * kGateBlock), acc(4 * kChannels, 0.0f);
      const PlaneSums sums_a{&acc[0], &acc[kChannels]}, sums_b{&acc[2 * kChannels], &acc[3 * kChannels]};
      if (kind == Kind::Single) squash_backward(squash, a.operand(), dy.x.data(), kShape, dza.data(), sums_a);
      if (kind == Kind::Add) {
        add_backward(squash, a.operand(), b.operand(), dy.x.data(), kShape, dza.data(), sums_a, sums_b.products);
        dzb = dza;
      }
      if (kind == Kind::Gate)
        gate_backward(squash, a.operand(), b.operand(), dy.x.data(), kShape, scratch.data(), dza.data(), dzb.data(),
                      sums_a, sums_b);
      const auto loss = [&](const std::vector<double>& ya, const std::vector<double>& yb) {
        const auto y = value(kind, squash, ya, yb);
        double sum = 0;
        for (int64_t i = 0; i < kCount; ++i) sum += y[i] * dy.x[i];
        return sum;
      };
      constexpr double kStep = 1e-4;
      const auto p = softmax(za);
      for (int64_t i = 0; i < kCount; i += 11) {
        bool kink = false;  // of any value that shares the softmax
        for (int64_t c = 0; c < kChannels; ++c) {
          const int64_t k = i + (c - channel(i)) * kShape.pixels;
          kink |= near_kink(squash, kind == Kind::Single ? za[k] : kind == Kind::Add ? za[k] + zb[k] : p[k] * zb[k]);
        }
        if (kink) continue;
        for (const bool second : {false, true}) {
          if (second && kind == Kind::Single) continue;
          auto& z = second ? zb : za;
          const double kept = z[i];
          z[i] = kept + kStep;
          const double up = loss(za, zb);
          z[i] = kept - kStep;
          const double down = loss(za, zb);
          z[i] = kept;
          REQUIRE((second ? dzb : dza)[i] == Approx((up - down) / (2 * kStep)).epsilon(1e-3).margin(1e-4));
        }
      }
      // The sums that batch norm needs.
      std::vector<double> sum(kChannels), product(kChannels), product_b(kChannels);
      for (int64_t i = 0; i < kCount; ++i) {
        const int64_t c = channel(i);
        sum[c] += dza[i];
        product[c] += double(dza[i]) * (a.x[i] - a.center[c]);
        product_b[c] += double(dzb[i]) * (b.x[i] - b.center[c]);
      }
      for (int64_t c = 0; c < kChannels; ++c) {
        CHECK(sums_a.sums[c] == Approx(sum[c]).epsilon(1e-4).margin(1e-3));
        CHECK(sums_a.products[c] == Approx(product[c]).epsilon(1e-4).margin(1e-2));
        if (kind != Kind::Single) CHECK(sums_b.products[c] == Approx(product_b[c]).epsilon(1e-4).margin(1e-2));
      }
    }
  }
}

TEST_CASE("affine combines gradient and input per channel, also in place", "[nn]") {
  const Data d(7), g(8);
  std::vector<float> out = g.x;
  affine(out.data(), d.x.data(), kShape, d.scale.data(), d.shift.data(), d.center.data(), out.data());
  for (int64_t i = 0; i < kCount; ++i) {
    const int64_t c = channel(i);
    REQUIRE(out[i] == Approx(d.scale[c] * g.x[i] + d.shift[c] * d.x[i] + d.center[c]).margin(1e-5));
  }
}

// The same numbers as one image of many pixels, and as many images of one pixel: [pixels, channels] transposed.
TEST_CASE("maps of one pixel are worked on along their channels", "[nn]") {
  constexpr int64_t kImages = 6, kWide = 37;
  const PlaneShape rows{kImages, kWide, 1}, planes{1, kWide, kImages};
  core::Rng rng(9);
  const auto draw = [&](int64_t n) {
    std::vector<float> out(static_cast<size_t>(n));
    for (float& v : out) v = static_cast<float>(rng.normal());
    return out;
  };
  const auto transposed = [&](const std::vector<float>& v) {
    std::vector<float> out(v.size());
    for (int64_t i = 0; i < kImages; ++i)
      for (int64_t c = 0; c < kWide; ++c) out[c * kImages + i] = v[i * kWide + c];
    return out;
  };
  const auto x = draw(kImages * kWide), dy = draw(kImages * kWide), scale = draw(kWide), shift = draw(kWide),
             center = draw(kWide);
  const auto xt = transposed(x), dyt = transposed(dy);
  const auto check = [](const std::vector<float>& got, const std::vector<float>& expected) {
    for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == Approx(expected[i]).epsilon(1e-5).margin(1e-5));
  };
  const auto run = [&](const PlaneShape& shape, const float* values, const float* gradient) {
    const PlaneOperand a{values, scale.data(), shift.data(), center.data()};
    std::vector<float> y(x.size()), dz(x.size()), dx(x.size()), sums(4 * kWide, 0.0f);
    squash_forward(Squash::Silu, a, shape, y.data());
    squash_backward(Squash::Silu, a, gradient, shape, dz.data(), {&sums[0], &sums[kWide]});
    moments(values, shape, center.data(), &sums[2 * kWide], &sums[3 * kWide]);
    affine(dz.data(), values, shape, scale.data(), shift.data(), center.data(), dx.data());
    return std::vector{y, dz, dx, sums};
  };
  const auto got = run(rows, x.data(), dy.data()), expected = run(planes, xt.data(), dyt.data());
  for (size_t k = 0; k < 3; ++k) check(transposed(got[k]), expected[k]);
  check(got[3], expected[3]);
}

}  // namespace condenser::nn
