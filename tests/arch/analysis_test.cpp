// Shapes, counts and bytes, against a second count made the naive way.

#include "condenser/arch/analysis.hpp"

#include "support/catch.hpp"
#include "support/exemplars.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

Shape shape_of(const Op& op, std::vector<Shape> inputs) { return node_cost("n", op, inputs).shape; }

// Second answer: walks every output value and every tap, counting those of its own group.
int64_t naive_macs(const Conv2d& conv, const Shape& in) {
  int64_t count = 0;
  for (int y = -conv.pad.top; y + conv.kernel.h <= in.h + conv.pad.bottom; y += conv.stride.h) {
    for (int x = -conv.pad.left; x + conv.kernel.w <= in.w + conv.pad.right; x += conv.stride.w) {
      for (int o = 0; o < conv.out; ++o) {
        for (int i = 0; i < in.c; ++i) {
          const bool same_group = o / (conv.out / conv.groups) == i / (in.c / conv.groups);
          if (same_group) count += conv.kernel.h * conv.kernel.w;
        }
      }
    }
  }
  return count;
}

}  // namespace

TEST_CASE("Convolutions cost what a naive walk counts", "[arch]") {
  int seen = 0;
  for (const testing::Exemplar& e : testing::exemplars()) {
    INFO(e.name);
    const Analysis a = analyze(e.spec);
    for (size_t i = 0; i < e.spec.nodes.size(); ++i) {
      const Conv2d* conv = std::get_if<Conv2d>(&e.spec.nodes[i].op);
      if (!conv) continue;
      const Shape in = a.node(e.spec.nodes[i].inputs[0]).shape;
      CHECK(a.nodes[i].macs == naive_macs(*conv, in));
      CHECK(a.nodes[i].params * a.nodes[i].shape.h * a.nodes[i].shape.w ==
            a.nodes[i].macs + (conv->bias ? a.nodes[i].shape.elements() : 0));
      ++seen;
    }
  }
  CHECK(seen > 100);
}

TEST_CASE("Totals are the sums of the nodes", "[arch]") {
  for (const testing::Exemplar& e : testing::exemplars()) {
    const Analysis a = analyze(e.spec);
    REQUIRE(a.nodes.size() == e.spec.nodes.size());
    int64_t params = 0, macs = 0, bytes = 0;
    for (const NodeCost& n : a.nodes) {
      params += n.params;
      macs += n.macs;
      bytes += n.constant_bytes;
    }
    CHECK(a.params == params);
    CHECK(a.macs == macs);
    CHECK(a.constant_bytes == bytes);
    CHECK(a.nodes[0].shape == e.spec.input);
  }
}

TEST_CASE("the shape of each operator", "[arch]") {
  const Shape map{6, 9, 7};
  CHECK(shape_of(Conv2d{8, Size{3, 2}, Size{2, 1}, Pad{0, 2, 1, 0}}, {map}) == Shape{8, 5, 7});
  CHECK(shape_of(BatchNorm{}, {map}) == map);
  CHECK(shape_of(Activation{}, {map}) == map);
  CHECK(shape_of(Softmax{}, {map}) == map);
  CHECK(shape_of(SoftmaxMul{}, {map, map}) == map);
  CHECK(shape_of(AvgPool{square(2), square(2), Pad{}}, {map}) == Shape{6, 4, 3});
  CHECK(shape_of(MaxPool{square(3), square(2), pad_all(1)}, {map}) == Shape{6, 5, 4});
  CHECK(shape_of(GlobalAvgPool{}, {map}) == Shape{6, 1, 1});
  CHECK(shape_of(Linear{10}, {{6, 1, 1}}) == Shape{10, 1, 1});
  CHECK(shape_of(Add{}, {map, map}) == map);
  CHECK(shape_of(Mul{}, {map, map}) == map);
}

TEST_CASE("an operator refuses inputs that do not fit, with the numbers", "[arch]") {
  const Shape map{6, 9, 7};
  CHECK_THROWS_WITH(shape_of(Conv2d{8, square(3), square(1), Pad{}, 4}, {map}),
                    "node n: 6 channels in, 8 out, groups 4; channels must be multiples of groups");
  CHECK_THROWS_WITH(shape_of(Conv2d{8, Size{3, 8}, square(1), Pad{}}, {map}), Catch::Contains("kernel width 8"));
  CHECK_THROWS_WITH(shape_of(AvgPool{square(2), square(2), Pad{}}, {{6, 1, 7}}), Catch::Contains("kernel height 2"));
  CHECK_THROWS_WITH(shape_of(Linear{10}, {map}), Catch::Contains("linear reads 6x9x7; expected Cx1x1"));
  CHECK_THROWS_WITH(shape_of(Add{}, {map, {6, 7, 9}}), Catch::Contains("6x9x7 and 6x7x9 differ"));
  CHECK_THROWS_WITH(shape_of(SoftmaxMul{}, {map, {5, 9, 7}}), Catch::Contains("differ"));
  CHECK_THROWS_WITH(shape_of(Add{}, {map}), Catch::Contains("1 inputs for add"));
  CHECK_THROWS_WITH(shape_of(Conv2d{65'536, square(1), square(1), Pad{}}, {{1, 65, 65}}), Catch::Contains("values"));
  CHECK_THROWS_WITH(shape_of(Linear{65'536}, {{65'536, 1, 1}}), Catch::Contains("4294967296 weights"));
  CHECK_THROWS_WITH(shape_of(Conv2d{65'536, square(255), square(1), pad_all(127)}, {{65'536, 1, 1}}),
                    Catch::Contains("weights; expected at most 268435456"));
}

TEST_CASE("analyze names the node that does not fit", "[arch]") {
  const Spec spec{"bad", {3, 8, 8}, {{"input", Input{}, {}}, {"fc", Linear{10}, {0}}}};
  CHECK_THROWS_WITH(analyze(spec), Catch::StartsWith("node fc: "));
}

TEST_CASE("Int8 constants", "[arch]") {
  const Shape map{8, 5, 5};
  const Conv2d conv{12, square(3), square(1), pad_all(1), 4, true};
  CHECK(node_cost("n", conv, {map}).constant_bytes == 12 * 2 * 9 + 12 * (4 + 4 + 1));
  CHECK(node_cost("n", Linear{10}, {{8, 1, 1}}).constant_bytes == 80 + 90);
  CHECK(node_cost("n", Activation{ActivationKind::Silu}, {map}).constant_bytes == 256);
  CHECK(node_cost("n", SoftmaxMul{}, {map, map}).constant_bytes == 512);
  CHECK(node_cost("n", Add{}, {map, map}).constant_bytes == 0);
  CHECK(node_cost("n", AvgPool{}, {map}).constant_bytes == 0);
}

TEST_CASE("Sums beyond 64 bits are refused, not wrapped", "[arch]") {
  // One such convolution stays below 2^56; two hundred of them do not fit into 63 bits.
  Spec spec{"huge", {1, 16'384, 16'384}, {{"input", Input{}, {}}}};
  const Conv2d conv{1, square(255), square(1), pad_all(127)};
  for (int i = 1; i < kMaxNodes; ++i) spec.nodes.push_back({"c" + std::to_string(i), conv, {i - 1}});
  const Analysis a = analyze(spec);  // 2^28 * 65,025 * 9,999 = 1.7e17: fits
  CHECK(a.macs == int64_t{16'384} * 16'384 * 255 * 255 * (kMaxNodes - 1));

  Spec wide{"huge", {64, 2'048, 2'048}, {{"input", Input{}, {}}}};
  for (int i = 1; i < kMaxNodes; ++i)
    wide.nodes.push_back({"c" + std::to_string(i), Conv2d{64, square(255), square(1), pad_all(127)}, {i - 1}});
  CHECK_THROWS_WITH(analyze(wide), Catch::Contains("multiply-accumulates exceeds 64 bits"));
}

// 20 log10(75.8^2 / sqrt(3.94 * 0.65)) = 71.1, worked in the notes on the published family.
TEST_CASE("NetScore", "[arch]") {
  CHECK(netscore(75.8, 3'940'000, 650'000'000) == Approx(71.1).margin(0.05));
  const double base = netscore(90.0, 1'000'000, 10'000'000);
  CHECK(netscore(90.0, 500'000, 10'000'000) - base == Approx(3.0103).margin(1e-4));
}
