#include "train/resize.hpp"

#include "condenser/arch/blocks.hpp"
#include "support/catch.hpp"

namespace condenser::train {

TEST_CASE("phases of sizes take the first epochs in equal parts", "[train]") {
  const ResizeOptions o{.sizes = {16, 24}, .epochs = 5};
  const arch::Shape full{3, 32, 64};
  CHECK(input_in_epoch(o, full, 0) == arch::Shape{3, 16, 32});
  CHECK(input_in_epoch(o, full, 2) == arch::Shape{3, 16, 32});
  CHECK(input_in_epoch(o, full, 3) == arch::Shape{3, 24, 48});
  CHECK(input_in_epoch(o, full, 4) == arch::Shape{3, 24, 48});
  CHECK(input_in_epoch(o, full, 5) == full);
  CHECK(input_in_epoch({}, full, 0) == full);
}

TEST_CASE("a pixel of a shrunk picture is the mean over its area", "[train]") {
  data::Batch batch{.size = 1, .x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 9, 0, 0, 0, 0}, .y = {0}, .t = {}};
  shrink(batch, {2, 3, 3}, {2, 2, 2});
  // Columns of 3 to 2: [1, 1/2, 0] and [0, 1/2, 1], over 1.5.
  const std::vector<double> expected{(1 + 0.5 * 2 + 0.5 * 4 + 0.25 * 5) / 2.25,
                                     (0.5 * 2 + 3 + 0.25 * 5 + 0.5 * 6) / 2.25,
                                     (0.5 * 4 + 0.25 * 5 + 7 + 0.5 * 8) / 2.25,
                                     (0.25 * 5 + 0.5 * 6 + 0.5 * 8 + 9) / 2.25,
                                     1,
                                     1,
                                     1,
                                     1};
  REQUIRE(batch.x.size() == 8);
  for (size_t i = 0; i < 8; ++i) CHECK(batch.x[i] == Approx(expected[i]));

  const auto before = batch.x;
  shrink(batch, {2, 2, 2}, {2, 2, 2});
  CHECK(batch.x == before);
}

TEST_CASE("networks that only work at their input are refused at other sizes", "[train]") {
  arch::Builder pooled("pooled", {1, 16, 16}), flat("flat", {1, 16, 16});
  arch::classifier_head(pooled, arch::conv_bn_act(pooled, pooled.input(), "stem", {.out = 4, .stride = 2}), 3);
  flat.add("fc", arch::Conv2d{.out = 3, .kernel = {16, 16}}, {flat.input()});
  const arch::Spec works = pooled.finish(), other = flat.finish();
  CHECK(at_input(works, {1, 8, 8}).input == arch::Shape{1, 8, 8});
  CHECK_THROWS_WITH(at_input(other, {1, 8, 8}), Catch::Contains("flat") && Catch::Contains("8"));
  CHECK_THROWS_WITH(at_input(works, {1, 32, 32}), Catch::Contains("less than"));
}

}  // namespace condenser::train
