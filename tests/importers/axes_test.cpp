#include "importers/axes.hpp"

#include "support/catch.hpp"

using namespace condenser;
using namespace condenser::importers;

TEST_CASE("axes are joined, split and reordered by name", "[importers]") {
  const core::Shape shape{6, 4, 5};
  const Axes map = standard_axes(shape, 2, 4);
  CHECK(to_string(map) == "nchw");
  CHECK(is_standard(map, shape, 2));
  const auto flat = regrouped(map, {2, 120});
  REQUIRE(flat);
  CHECK(to_string(*flat) == "n(chw)");
  CHECK(regrouped(*flat, {2, 6, 4, 5}) == map);  // back again
  CHECK(!regrouped(map, {2, 7, 120}));
  CHECK(!regrouped(map, {2, 6, 8, 5}));
  CHECK(!regrouped(map, {2, 4, 6, 5}));  // cuts across channels
  CHECK(to_string(permuted(map, {0, 2, 3, 1})) == "nhwc");
  CHECK(!is_standard(permuted(map, {0, 2, 3, 1}), shape, 2));
}

TEST_CASE("channels in groups keep their steps", "[importers]") {
  const Axes map = standard_axes({6, 4, 5}, 1, 4);
  const auto groups = regrouped(map, {1, 3, 2, 4, 5});
  REQUIRE(groups);
  CHECK((*groups)[1] == Axis{{'c', 3, 2}});
  CHECK((*groups)[2] == Axis{{'c', 2, 1}});
  const auto shuffled = regrouped(permuted(*groups, {0, 2, 1, 3, 4}), {1, 6, 4, 5});
  REQUIRE(shuffled);
  CHECK((*shuffled)[1] == Axis{{'c', 2, 1}, {'c', 3, 2}});
  CHECK(regrouped(*groups, {1, 6, 4, 5}) == map);
}

TEST_CASE("axes of one index are nobody's", "[importers]") {
  const core::Shape vector{7, 1, 1};
  const auto map = regrouped(standard_axes(vector, 1, 2), {1, 7, 1, 1});
  REQUIRE(map);
  CHECK(is_standard(*map, vector, 1));
  CHECK(is_whole((*map)[2], 'h', 1));
  CHECK(!is_whole((*map)[1], 'c', 8));
}
