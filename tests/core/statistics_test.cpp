#include "condenser/core/statistics.hpp"

#include "condenser/core/error.hpp"
#include "support/catch.hpp"

namespace condenser::core {

TEST_CASE("quartiles interpolate between order statistics", "[core]") {
  const Quartiles five = quartiles({5, 1, 4, 2, 3});
  CHECK(five.min == 1);
  CHECK(five.q1 == 2);
  CHECK(five.median == 3);
  CHECK(five.q3 == 4);
  CHECK(five.max == 5);
  const Quartiles four = quartiles({10, 40, 20, 30});
  CHECK(four.q1 == Approx(17.5));
  CHECK(four.median == Approx(25));
  CHECK(four.q3 == Approx(32.5));
  const Quartiles one = quartiles({7});
  CHECK(one.min == 7);
  CHECK(one.q1 == 7);
  CHECK(one.max == 7);
  CHECK(median({1, 100}) == Approx(50.5));
  CHECK_THROWS_AS(quartiles({}), Error);
}

TEST_CASE("one busy moment does not move the median", "[core]") { CHECK(median({100, 101, 99, 100, 3}) == 100); }

// Against the sum of binomial coefficients, in exact integers.
TEST_CASE("McNemar's test is twice the smaller tail", "[core]") {
  CHECK(mcnemar({100, 5, 15, 3}) == Approx(0.041389465332));
  CHECK(mcnemar({100, 15, 5, 0}) == Approx(0.041389465332));
  CHECK(mcnemar({794, 121, 59, 600}) == Approx(4.43444926376e-06).epsilon(1e-9));
  CHECK(mcnemar({9, 7, 7, 1}) == 1);
  CHECK(mcnemar({9, 0, 0, 1}) == 1);
}

TEST_CASE("the interval of a difference of paired accuracies", "[core]") {
  const Difference d = difference_95({80, 15, 5, 0});
  CHECK(d.points == Approx(10));
  CHECK(d.low == Approx(1.20635186));
  CHECK(d.high == Approx(18.4014913));
  const Difference none = difference_95({0, 0, 0, 5});
  CHECK(none.points == 0);
  CHECK(none.low == Approx(-none.high));
  CHECK(none.high > 0);
}

}  // namespace condenser::core
