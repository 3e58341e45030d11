#include "condenser/core/correlation.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace condenser;

TEST_CASE("rank correlations are those of small lists by hand", "[core]") {
  const auto same = core::correlate({1, 2, 3, 4, 5}, {10, 20, 30, 40, 50});
  REQUIRE(same);
  CHECK(same->spearman == Approx(1));
  CHECK(same->kendall == Approx(1));
  const auto mixed = core::correlate({1, 2, 3, 4, 5}, {2, 1, 4, 3, 5});  // d^2 = 4: 1 - 24 / 120; 2 of 10 pairs wrong
  REQUIRE(mixed);
  CHECK(mixed->spearman == Approx(0.8));
  CHECK(mixed->kendall == Approx(0.6));
  CHECK(mixed->low < 0.8);
  CHECK(mixed->high > 0.8);
  // Ties by definition: tau-b = (concordant - discordant) / sqrt((n0 - n1) (n0 - n2)).
  const std::vector<double> x{1, 1, 2, 3, 3, 4, 5}, y{3, 1, 1, 2, 5, 5, 4};
  double pairs = 0, x_ties = 0, y_ties = 0, sum = 0;
  for (size_t a = 0; a < x.size(); ++a)
    for (size_t b = a + 1; b < x.size(); ++b) {
      ++pairs;
      x_ties += x[a] == x[b];
      y_ties += y[a] == y[b];
      const double sign = (x[a] - x[b]) * (y[a] - y[b]);
      sum += sign > 0 ? 1 : sign < 0 ? -1 : 0;
    }
  CHECK(core::correlate(x, y)->kendall == Approx(sum / std::sqrt((pairs - x_ties) * (pairs - y_ties))));
  CHECK_FALSE(core::correlate({1, 2, 3, 4}, {1, 2, 3, 4}));
  CHECK_FALSE(core::correlate({1, 1, 1, 1, 1}, {1, 2, 3, 4, 5}));
}
