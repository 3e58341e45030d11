#include "condenser/core/rng.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "condenser/core/error.hpp"
#include "support/catch.hpp"

using namespace condenser::core;

// The known answers of Random123, the reference implementation by the authors of the paper.
TEST_CASE("Philox 4x32-10 gives the published answers", "[core]") {
  using Block = std::array<uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr uint32_t ones = 0xffffffff;
  CHECK(philox4x32({ones, ones, ones, ones}, {ones, ones}) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A generator reads its blocks in order, low word first", "[core]") {
  Rng rng(0);
  CHECK(rng.next() == 0xe169c58d6627e8d5);
  CHECK(rng.next() == 0x9b00dbd8bc57ac4c);
  CHECK(rng.counter() == 2);
  const auto block = philox4x32({1, 0, 0, 0}, {0, 0});
  CHECK(rng.next() == (uint64_t{block[1]} << 32 | block[0]));
}

TEST_CASE("Any place of a stream can be recomputed", "[core]") {
  Rng all(7, 3, 1);
  std::vector<uint64_t> values;
  for (int i = 0; i < 20; ++i) values.push_back(all.next());
  for (uint64_t start = 0; start < 20; ++start) {
    Rng rng(7, 3, 1);
    rng.seek(start);
    for (uint64_t i = start; i < 20; ++i) REQUIRE(rng.next() == values[i]);
  }
  Rng back(7, 3, 1);
  back.next();
  back.seek(0);  // a left-over half block must not survive
  CHECK(back.next() == values[0]);
}

TEST_CASE("Seeds, streams and substreams differ", "[core]") {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 8; ++seed)
    for (uint64_t stream = 0; stream < 8; ++stream)
      for (uint64_t substream = 0; substream < 64; ++substream) seen.insert(Rng(seed, stream, substream).next());
  CHECK(seen.size() == 8 * 8 * 64);
}

TEST_CASE("below() is in range and even", "[core]") {
  Rng rng(1);
  std::map<uint64_t, int> count;
  for (int i = 0; i < 7000; ++i) ++count[rng.below(7)];
  CHECK(count.size() == 7);
  for (const auto& [value, times] : count) {
    CHECK(value < 7);
    CHECK(std::abs(times - 1000) < 150);  // five standard deviations
  }
  CHECK(rng.below(1) == 0);
  CHECK_THROWS_AS(rng.below(0), Error);
  // Three quarters of the range: a plain remainder would give the lower third twice as often as the rest.
  int low = 0;
  const uint64_t n = uint64_t{3} << 62;
  for (int i = 0; i < 3000; ++i) low += rng.below(n) < n / 3;
  CHECK(std::abs(low - 1000) < 130);
}

TEST_CASE("uniform() stays in its half-open interval", "[core]") {
  Rng rng(2);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double u = rng.uniform();
    REQUIRE((u >= 0 && u < 1));
    sum += u;
  }
  CHECK(sum / 10000 == Approx(0.5).margin(0.015));
  const double next = std::nextafter(1.0, 2.0);
  for (int i = 0; i < 100; ++i) CHECK(rng.uniform(1.0, next) == 1.0);
}

TEST_CASE("normal() has the moments of the normal distribution", "[core]") {
  Rng rng(3);
  constexpr int n = 40000;
  double m1 = 0, m2 = 0, m4 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    REQUIRE(std::isfinite(x));
    m1 += x / n;
    m2 += x * x / n;
    m4 += x * x * x * x / n;
  }
  CHECK(m1 == Approx(0).margin(0.025));
  CHECK(m2 == Approx(1).margin(0.035));
  CHECK(m4 == Approx(3).margin(0.25));
}

TEST_CASE("normal() agrees with Box and Muller's formula by libm, and never changes", "[core]") {
  Rng rng(4, 5, 6);
  for (int i = 0; i < 2000; ++i) {
    Rng raw = rng;
    const double u = 1 - raw.uniform();
    const double turn = raw.uniform();
    const double expected = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::acos(-1.0) * turn);
    REQUIRE(rng.normal() == Approx(expected).epsilon(1e-13).margin(1e-14));
    REQUIRE(rng.counter() == raw.counter());
  }
  Rng pinned(2024, 1);
  const double a = pinned.normal(), b = pinned.normal(), c = pinned.normal();
  INFO(std::hexfloat << a << " " << b << " " << c);
  CHECK(a == -0x1.a26ed1363c47dp-4);
  CHECK(b == -0x1.eabc9a6f9a197p-1);
  CHECK(c == -0x1.d08352ef50043p-7);
}

TEST_CASE("shuffle() permutes, every order equally often", "[core]") {
  std::map<std::vector<int>, int> count;
  for (uint64_t trial = 0; trial < 6000; ++trial) {
    std::vector<int> values = {1, 2, 3};
    Rng(5, trial).shuffle(std::span<int>(values));
    ++count[values];
  }
  CHECK(count.size() == 6);
  for (const auto& [order, times] : count) {
    CHECK(std::is_permutation(order.begin(), order.end(), std::vector<int>{1, 2, 3}.begin()));
    CHECK(std::abs(times - 1000) < 150);
  }
}
