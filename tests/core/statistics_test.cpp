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

}  // namespace condenser::core
