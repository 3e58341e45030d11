// What every row of the table of observers keeps: the range holds zero, lies within the data, depends on the values
// alone, follows them when they are scaled or mirrored, and is never made of anything that is not finite.
#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "quant/observer.hpp"
#include "support/catch.hpp"

namespace condenser::quant {
namespace {

using Floats = std::vector<float>;

struct Data {
  const char* name;
  Floats values;
};

Floats drawn(size_t n, uint64_t seed, double (*draw)(core::Rng&)) {
  core::Rng rng(seed);
  Floats x(n);
  for (float& v : x) v = static_cast<float>(draw(rng));
  return x;
}

std::vector<Data> data() {
  return {{"normal", drawn(5000, 1, [](core::Rng& r) { return r.normal(); })},
          {"after relu", drawn(5000, 2, [](core::Rng& r) { return std::max(0.0, r.normal()); })},
          {"negative", drawn(3000, 3, [](core::Rng& r) { return -1 - r.uniform(0, 1); })},
          {"heavy tails", drawn(5000, 4, [](core::Rng& r) { return std::pow(r.normal(), 5); })},
          {"large", drawn(500, 5, [](core::Rng& r) { return 1e30 * r.normal(); })},
          {"constant", Floats(100, 0.75f)},
          {"one negative value", {-3.0f}},
          {"zeros and one value", {0, 0, 0, 0, 2.5f}},
          {"zeros", Floats(10, 0.0f)},
          {"tiny", {1e-40f, -1e-40f}},
          {"nothing", {}}};
}

std::unique_ptr<Observer> made(const std::string& name) {
  QuantOptions options;
  options.observer = name;
  return make_observer(options);
}

Range range_of(const std::string& name, const Floats& x, size_t batch = 0) {
  const auto observer = made(name);
  if (batch == 0) batch = std::max<size_t>(1, x.size());
  for (size_t i = 0; i < x.size(); i += batch)
    observer->observe(std::span(x).subspan(i, std::min(batch, x.size() - i)));
  return observer->range();
}

bool same(const Range& a, const Range& b) { return a.low == b.low && a.high == b.high; }

double largest(const Floats& x) { return x.empty() ? 0 : std::max(0.0, double(*std::max_element(x.begin(), x.end()))); }
double smallest(const Floats& x) {
  return x.empty() ? 0 : std::min(0.0, double(*std::min_element(x.begin(), x.end())));
}

Floats times(const Floats& x, float factor) {
  Floats y = x;
  for (float& v : y) v *= factor;
  return y;
}

template <class Check>
void for_each_row(const Check& check) {
  for (const std::string& name : observer_names())
    for (const Data& d : data()) {
      INFO(name << " of " << d.name);
      check(name, d.values);
    }
}

}  // namespace

TEST_CASE("a range holds zero and nothing beyond the data", "[quant][contract]") {
  for_each_row([](const std::string& name, const Floats& x) {
    const Range r = range_of(name, x);
    CHECK(r.low <= 0);
    CHECK(r.high >= 0);
    CHECK(r.low >= smallest(x));
    CHECK(r.high <= largest(x));
    const bool something = largest(x) > 0 || smallest(x) < 0;
    CHECK((r.high - r.low > 0) == something);
    CHECK(same(range_of(name, x), r));
  });
}

TEST_CASE("most of the data lies in the range", "[quant][contract]") {
  for_each_row([](const std::string& name, const Floats& x) {
    const Range r = range_of(name, x);
    const auto inside = std::count_if(x.begin(), x.end(), [&](float v) { return r.low <= v && v <= r.high; });
    CHECK(static_cast<double>(inside) >= 0.95 * static_cast<double>(x.size()) - 1);  // one value may be the whole tail
  });
}

TEST_CASE("a constant is represented to half a step", "[quant][contract]") {
  for (const std::string& name : observer_names())
    for (const float value : {0.75f, -3.0f, 1e-3f, 1e20f}) {
      INFO(name << " of " << value);
      const runtime::TensorQuant q = affine(range_of(name, Floats(100, value)));
      const double level = std::clamp(std::round(value / q.scale) + q.zero_point, -128.0, 127.0);
      CHECK(q.scale * (level - q.zero_point) == Approx(value).margin(0.51 * q.scale));
    }
}

TEST_CASE("scale and zero point can be used: zero is exact", "[quant][contract]") {
  for_each_row([](const std::string& name, const Floats& x) {
    const runtime::TensorQuant q = affine(range_of(name, x));
    CHECK(std::isfinite(q.scale));
    CHECK(q.scale > 0);
    CHECK(q.zero_point >= -128);
    CHECK(q.zero_point <= 127);
  });
}

TEST_CASE("batches and their order do not matter", "[quant][contract]") {
  for_each_row([](const std::string& name, const Floats& x) {
    const Range r = range_of(name, x);
    for (const size_t batch : {size_t{1}, size_t{7}, size_t{64}}) CHECK(same(range_of(name, x, batch), r));
    Floats reversed(x.rbegin(), x.rend()), sorted = x;
    std::sort(sorted.begin(), sorted.end());
    CHECK(same(range_of(name, reversed, 7), r));
    CHECK(same(range_of(name, sorted, 64), r));
  });
}

TEST_CASE("a range may be asked for at any time", "[quant][contract]") {
  const Floats x = data().front().values;
  for (const std::string& name : observer_names()) {
    INFO(name);
    const auto observer = made(name);
    CHECK(same(observer->range(), {0, 0}));
    for (size_t i = 0; i < x.size(); i += 500) {
      observer->observe(std::span(x).subspan(i, 500));
      observer->range();
    }
    CHECK(same(observer->range(), range_of(name, x)));
  }
}

TEST_CASE("a range follows the data when it is scaled", "[quant][contract]") {
  for (const std::string& name : observer_names())
    for (const Data& d : data()) {
      if (std::string(d.name) == "large" || std::string(d.name) == "tiny") continue;  // beyond floats, below any scale
      INFO(name << " of " << d.name);
      const Range r = range_of(name, d.values), twice = range_of(name, times(d.values, 4));
      CHECK(twice.low == Approx(4 * r.low));
      CHECK(twice.high == Approx(4 * r.high));
    }
}

TEST_CASE("NaN and infinity are refused wherever they stand, and leave no mark", "[quant][contract]") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  for (const std::string& name : observer_names())
    for (const float bad : {kNan, kInf, -kInf})
      for (const size_t at : {size_t{0}, size_t{50}, size_t{99}}) {
        INFO(name << ", " << bad << " at " << at);
        const auto observer = made(name);
        observer->observe(Floats(10, 0.5f));
        const Range before = observer->range();
        Floats x(100, 2.0f);
        x[at] = bad;
        CHECK_THROWS_AS(observer->observe(x), core::Error);
        CHECK(same(observer->range(), before));
      }
}

TEST_CASE("a name that is no row is refused with those that are", "[quant][contract]") {
  for (const std::string& name : observer_names()) CHECK_THROWS_WITH(made("x_" + name), Catch::Contains(name));
}

}  // namespace condenser::quant
