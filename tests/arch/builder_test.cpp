// Scopes, names and refusals of the builder.

#include "condenser/arch/builder.hpp"

#include "support/catch.hpp"

using namespace condenser::arch;

TEST_CASE("Builder joins scopes and infers shapes", "[arch]") {
  Builder b("net", {3, 8, 8});
  int x = b.input();
  {
    const Builder::Scope stage(b, "s1");
    const Builder::Scope block(b, "b2");
    x = b.add("c1", Conv2d{4, square(3), square(2), pad_all(1)}, {x});
  }
  CHECK(x == 1);
  CHECK(b.last() == 1);
  CHECK(b.shape(x) == Shape{4, 4, 4});
  x = b.add("gap", GlobalAvgPool{}, {x});
  const Spec spec = b.finish();
  CHECK(spec.name == "net");
  CHECK(spec.nodes[0].name == "input");
  CHECK(spec.nodes[1].name == "s1_b2_c1");
  CHECK(spec.nodes[2].name == "gap");
  CHECK(spec.nodes[2].inputs == Inputs{1});
}

TEST_CASE("Builder refuses what validate and analyze would", "[arch]") {
  Builder b("net", {3, 8, 8});
  const Conv2d conv{4, square(3), square(1), pad_all(1)};
  const int c = b.add("c", conv, {0});
  CHECK_THROWS_WITH(b.add("c", conv, {0}), Catch::Contains("two nodes"));
  CHECK_THROWS_WITH(b.add("d.e", conv, {0}), Catch::Contains("lower-case letter"));
  CHECK_THROWS_WITH(b.add("d", conv, {2}), Catch::Contains("reads node 2"));
  CHECK_THROWS_WITH(b.add("d", conv, {}), Catch::Contains("0 inputs"));
  CHECK_THROWS_WITH(b.add("d", Input{}, {}), Catch::Contains("second input"));
  CHECK_THROWS_WITH(b.add("d", Add{}, {0, c}), Catch::Contains("3x8x8 and 4x8x8 differ"));
  CHECK_THROWS_AS(b.shape(2), SpecError);
  CHECK(b.last() == 1);  // refused nodes leave nothing behind
  CHECK(b.add("d", conv, {c}) == 2);
  CHECK_THROWS_AS(Builder("bad", Shape{0, 1, 1}), SpecError);
  CHECK_THROWS_WITH(Builder("empty", Shape{1, 1, 1}).finish(), Catch::Contains("has 1 nodes"));
}
