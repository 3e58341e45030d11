// Ranges on distributions whose right answer is known, and the histogram behind them.
#include "quant/observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"

using namespace condenser;
using quant::Range;

namespace {

std::vector<float> normals(size_t n, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<float> x(n);
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

Range range_of(const std::string& observer, const std::vector<float>& x, double percentile = 99.9) {
  quant::QuantOptions options;
  options.observer = observer;
  options.percentile = percentile;
  auto o = quant::make_observer(options);
  o->observe(x);
  return o->range();
}

// The error that int8 really makes, value by value.
double true_error(const std::vector<float>& x, const runtime::TensorQuant& q) {
  double sum = 0;
  for (float v : x) {
    const double level = std::clamp(std::round(v / q.scale) + q.zero_point, -128.0, 127.0);
    const double e = v - q.scale * (level - q.zero_point);
    sum += e * e;
  }
  return sum;
}

}  // namespace

TEST_CASE("min_max keeps the extremes and always includes zero", "[quant][observer]") {
  CHECK(range_of("min_max", {-1.5f, 2.25f, 0.5f}).low == -1.5);
  CHECK(range_of("min_max", {-1.5f, 2.25f, 0.5f}).high == 2.25);
  for (const std::string& name : quant::observer_names()) {
    INFO(name);
    const Range above = range_of(name, {2.0f, 2.5f, 3.0f}), below = range_of(name, {-3.0f, -2.0f});
    CHECK(above.low == 0);
    CHECK(above.high > 1.9);
    CHECK(below.high == 0);
    CHECK(below.low < -1.9);
  }
}

TEST_CASE("an outlier moves min_max, not mse and percentile", "[quant][observer]") {
  const std::vector<float> x = normals(100000, 1), outlier = {100.0f};
  std::vector<Range> ranges;
  std::vector<double> errors;
  for (const std::string& name : quant::observer_names()) {
    quant::QuantOptions options;
    options.observer = name;
    options.percentile = 99.9;
    const auto observer = quant::make_observer(options);
    // Two million values: clipping one of them by 90 costs less than rounding all of them four times as coarsely.
    for (int batch = 0; batch < 20; ++batch) observer->observe(x);
    observer->observe(outlier);
    ranges.push_back(observer->range());
    const runtime::TensorQuant q = quant::affine(ranges.back());
    errors.push_back(20 * true_error(x, q) + true_error(outlier, q));
  }
  REQUIRE(quant::observer_names() == std::vector<std::string>{"min_max", "percentile", "mse", "entropy"});
  CHECK(ranges[0].high == 100.0);
  CHECK(ranges[1].high == Approx(3.29).margin(0.15));  // 99.9 % of |x| of a normal distribution
  CHECK(ranges[1].low == Approx(-3.29).margin(0.15));
  CHECK(ranges[2].high < 30.0);
  CHECK(ranges[2].low < -3.0);
  CHECK(errors[2] < 0.5 * errors[0]);
  CHECK(errors[2] < errors[1]);
}

TEST_CASE("mse is no worse than min_max and percentile on many tails", "[quant][observer]") {
  for (double power : {1.0, 2.0, 3.0, 5.0}) {
    for (bool rectified : {false, true}) {
      std::vector<float> x = normals(20000, 7);
      for (float& v : x) {
        v = static_cast<float>(std::copysign(std::pow(std::abs(v), power), v));
        if (rectified) v = std::max(v, 0.0f);
      }
      INFO("power " << power << ", rectified " << rectified);
      const double mse = true_error(x, quant::affine(range_of("mse", x)));
      CHECK(mse <= 1.01 * true_error(x, quant::affine(range_of("min_max", x))));
      CHECK(mse <= 1.05 * true_error(x, quant::affine(range_of("percentile", x))));
      if (rectified) CHECK(range_of("mse", x).low == 0);
    }
  }
}

TEST_CASE("mse clips nothing of uniform values", "[quant][observer]") {
  core::Rng rng(3);
  std::vector<float> x(50000);
  for (float& v : x) v = static_cast<float>(rng.uniform(-0.25, 4.0));
  const Range r = range_of("mse", x);
  CHECK(r.low == Approx(-0.25).margin(0.017));  // a step of int8
  CHECK(r.high == Approx(4.0).margin(0.017));
}

TEST_CASE("percentile of known distributions", "[quant][observer]") {
  core::Rng rng(2);
  std::vector<float> x(100000);
  for (float& v : x) v = static_cast<float>(rng.uniform());
  CHECK(range_of("percentile", x, 90.0).high == Approx(0.9).epsilon(0.01));
  CHECK(range_of("percentile", x, 100.0).high == Approx(1.0).epsilon(0.001));
  CHECK(range_of("percentile", x, 90.0).low == 0);
  // Half of the values are exact zeros and count as kept.
  for (size_t i = 0; i < x.size(); i += 2) x[i] = 0;
  CHECK(range_of("percentile", x, 75.0).high == Approx(0.5).epsilon(0.02));
}

TEST_CASE("the histogram depends on the values alone", "[quant][observer]") {
  std::vector<float> x = normals(5000, 4);
  for (size_t i = 0; i < x.size(); i += 7) x[i] = 0;
  for (size_t i = 0; i < x.size(); ++i) x[i] *= 1e-3f * static_cast<float>(i + 1);  // grows by batch
  quant::Histogram at_once, in_pieces, shuffled;
  at_once.add(x);
  for (size_t i = 0; i < x.size(); i += 100) in_pieces.add(std::span(x).subspan(i, 100));
  core::Rng(5).shuffle(std::span(x));
  for (size_t i = 0; i < x.size(); i += 50) shuffled.add(std::span(x).subspan(i, 50));
  int64_t counted = at_once.zeros();
  for (size_t i = 0; i < quant::Histogram::kBins; ++i) counted += at_once.positive()[i] + at_once.negative()[i];
  CHECK(counted == 5000);
  for (const quant::Histogram* other : {&in_pieces, &shuffled}) {
    CHECK(other->width() == at_once.width());
    CHECK(other->positive() == at_once.positive());
    CHECK(other->negative() == at_once.negative());
    CHECK(other->zeros() == at_once.zeros());
    CHECK(other->total() == 5000);
    CHECK(other->extremes().high == at_once.extremes().high);
  }
}

TEST_CASE("histogram bins hold what they say", "[quant][observer]") {
  quant::Histogram h;
  h.add(std::vector<float>{0.0f, 1.0f, -1.0f, 0.75f, 0.0f});
  CHECK(h.width() == 2.0 / quant::Histogram::kBins);
  CHECK(h.zeros() == 2);
  CHECK(h.positive()[quant::Histogram::kBins / 2] == 1);
  CHECK(h.negative()[quant::Histogram::kBins / 2] == 1);
  CHECK(h.positive()[quant::Histogram::kBins * 3 / 8] == 1);
  h.add(std::vector<float>{3.9f});
  CHECK(h.width() == 4.0 / quant::Histogram::kBins);
  CHECK(h.positive()[quant::Histogram::kBins / 4] == 1);
}

TEST_CASE("quantization error of a histogram is the error of the values", "[quant][observer]") {
  const std::vector<float> x = normals(200000, 6);
  quant::Histogram h;
  h.add(x);
  for (const Range r : {Range{-5, 5}, Range{-2, 3}, Range{-1, 1}, Range{-0.5, 4}, Range{0, 2}}) {
    const runtime::TensorQuant q = quant::affine(r);
    CHECK(quant::quantization_error(h, q) == Approx(true_error(x, q)).epsilon(0.01));
  }
}

TEST_CASE("affine covers the range and represents zero", "[quant][observer]") {
  for (const Range r : {Range{-1, 1}, Range{0, 6}, Range{-0.28, 5}, Range{-3, 0}, Range{-100, 0.001}}) {
    const runtime::TensorQuant q = quant::affine(r);
    CHECK(q.zero_point >= -128);
    CHECK(q.zero_point <= 127);
    CHECK(q.scale * (127 - q.zero_point) >= r.high - 0.51 * q.scale);
    CHECK(q.scale * (-128 - q.zero_point) <= r.low + 0.51 * q.scale);
  }
  CHECK(quant::affine({0, 6}).zero_point == -128);
  const runtime::TensorQuant dead = quant::affine({0, 0});
  CHECK(dead.scale > 0);
  CHECK(dead.zero_point == -128);
}

TEST_CASE("8-bit pixels map to int8 one to one", "[quant][observer]") {
  // Means at which 255 * mean is near k + 1/2 are left out: there no integer zero point exists that does this.
  for (auto [mean, deviation] : {std::pair{0.1307, 0.3081}, {0.0, 1.0}, {0.286, 0.353}, {0.4734, 0.2516}}) {
    std::vector<float> x;
    for (int u = 0; u < 256; ++u) x.push_back(static_cast<float>((u / 255.0 - mean) / deviation));
    const runtime::TensorQuant q = quant::affine(range_of("min_max", x));
    for (int u = 0; u < 256; ++u) {
      const double level = std::round(static_cast<double>(x[static_cast<size_t>(u)]) / q.scale) + q.zero_point;
      CHECK(std::clamp(level, -128.0, 127.0) == u - 128);
    }
  }
}

TEST_CASE("observers refuse values that are no numbers, and unknown names", "[quant][observer]") {
  for (const std::string& name : quant::observer_names()) {
    CHECK_THROWS_AS(range_of(name, {1.0f, std::numeric_limits<float>::quiet_NaN()}), core::Error);
    CHECK_THROWS_AS(range_of(name, {-std::numeric_limits<float>::infinity()}), core::Error);
    CHECK(range_of(name, {}).high == 0);
    CHECK(range_of(name, {0.0f, 0.0f}).high == 0);
    CHECK(range_of(name, {1e-40f, 0.0f}).low == 0);  // denormal
  }
  CHECK_THROWS_WITH(range_of("median", {1.0f}), Catch::Contains("min_max, percentile, mse, entropy"));
}

TEST_CASE("entropy cuts a thin tail off and keeps a full range", "[quant]") {
  core::Rng rng(4);
  std::vector<float> x(20000);
  for (float& v : x) v = static_cast<float>(std::abs(rng.normal()));
  const double without = range_of("entropy", x).high;
  x.push_back(11.0f);  // alone, far out
  CHECK(range_of("min_max", x).high == 11.0);
  CHECK(range_of("entropy", x).high < 6.0);
  CHECK(range_of("entropy", x).high > 0.7 * without);
  for (float& v : x) v = static_cast<float>(rng.uniform(0, 3));
  CHECK(range_of("entropy", x).high > 2.7);
}
