// fuse_branches(): which sums become one convolution, numbers worked out by hand, and outputs before and after.
#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/peer_blocks.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/error.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/lively.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;
using testing::lively_weights;
using testing::random_floats;

Conv2d conv(int out, int kernel, int stride = 1, int groups = 1) {
  return {.out = out,
          .kernel = square(kernel),
          .stride = square(stride),
          .pad = pad_all((kernel - 1) / 2),
          .groups = groups};
}

Spec make(Shape input, std::vector<Node> nodes) {
  nodes.insert(nodes.begin(), {"input", Input{}, {}});
  return {"test", input, std::move(nodes)};
}

// Two convolutions with batch norm, added up: nodes a, an, b, bn, sum.
Spec two(const Conv2d& a, const Conv2d& b, Shape input = {4, 6, 6}) {
  return make(
      input,
      {{"a", a, {0}}, {"an", BatchNorm{}, {1}}, {"b", b, {0}}, {"bn", BatchNorm{}, {3}}, {"sum", Add{}, {2, 4}}});
}

// "a(input) act(a)".
std::string outline(const Spec& spec) {
  std::string text;
  for (const Node& node : spec.nodes) {
    if (node.inputs.empty()) continue;
    text += (text.empty() ? "" : " ") + node.name + "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) text += (i ? "," : "") + spec.node(node.inputs[i]).name;
    text += ")";
  }
  return text;
}

std::string fused(const Spec& spec) { return outline(fuse_branches(spec, nullptr)); }

// Largest difference of the outputs of both forms, relative to the largest output.
double distance(const Spec& spec, const Weights& weights, uint64_t seed) {
  constexpr int64_t kBatch = 2;
  const std::vector<float> input = random_floats(kBatch * spec.input.elements(), seed);
  const std::vector<float> expected = runtime::FloatExecutor(spec, weights).run(input, kBatch);
  Weights rewritten = weights;
  const Spec small = fuse_branches(spec, &rewritten);
  check_weights(small, rewritten);
  const std::vector<float> found = runtime::FloatExecutor(small, rewritten).run(input, kBatch);
  const testing::Difference d = testing::difference(found, expected);
  REQUIRE(d.output_scale > 0);
  return d.largest / d.output_scale;
}

Spec unit(Shape in, const MobileOneUnit& o, int branches) {
  Builder b("unit", in);
  mobileone_train_unit(b, 0, "u", o, branches);
  return b.finish();
}

Spec shipped_unit(Shape in, const MobileOneUnit& o) {
  Builder b("unit", in);
  mobileone_unit(b, 0, "u", o);
  return b.finish();
}

void set(Weights& weights, const std::string& name, std::vector<float> values) {
  auto span = weights.tensors.at(name).f32();
  REQUIRE(span.size() == values.size());
  std::copy(values.begin(), values.end(), span.begin());
}

std::vector<float> get(const Weights& weights, const std::string& name) {
  const auto span = weights.at(name).f32();
  return {span.begin(), span.end()};
}

}  // namespace

TEST_CASE("a sum of branches becomes one convolution, named after the widest", "[arch]") {
  CHECK(fused(two(conv(4, 3), conv(4, 1))) == "a(input)");
  CHECK(fused(two(conv(4, 1), conv(4, 5))) == "b(input)");
  const Spec one = fuse_branches(two(conv(6, 1, 2, 2), conv(6, 3, 2, 2)), nullptr);
  CHECK(one.nodes[1].op == Op(Conv2d{6, square(3), square(2), pad_all(1), 2, true}));
  CHECK(fused(unit({8, 6, 6}, {8, 3, 1, 8}, 4)) == "u_conv1(input) u_act(u_conv1)");
  CHECK(fused(unit({8, 6, 6}, {8, 1, 1, 1}, 1)) == "u_conv1(input) u_act(u_conv1)");  // with its identity

  // TensorFlow's padding: an odd zero goes bottom and right, so that tap 0 lies on the pixel itself.
  const Conv2d same{4, square(3), square(2), Pad{0, 1, 0, 1}};
  CHECK(fused(two(same, conv(4, 1, 2))) == "a(input)");
  // Rows and columns inside a square (ACNet).
  CHECK(fused(two(Conv2d{4, {1, 3}, {1, 1}, {0, 0, 1, 1}}, conv(4, 3))) == "b(input)");

  Spec clamped = two(conv(4, 3), conv(4, 1));
  clamped.nodes.back().op = Add{Clamp::Relu6};
  CHECK(std::get<Conv2d>(fuse_branches(clamped, nullptr).nodes.back().op).clamp == Clamp::Relu6);

  const Spec identities = make({4, 5, 5}, {{"n", BatchNorm{}, {0}}, {"m", BatchNorm{}, {0}}, {"sum", Add{}, {1, 2}}});
  CHECK(fused(identities) == "n(input)");
  CHECK(fuse_branches(identities, nullptr).nodes[1].op == Op(Conv2d{4, square(1), square(1), Pad{}, 4, true}));
}

TEST_CASE("sums of anything else stay", "[arch]") {
  const auto stays = [](const Spec& spec) { return fuse_branches(spec, nullptr) == spec; };
  CHECK_FALSE(stays(two(conv(4, 3), conv(4, 1))));             // the control
  CHECK(stays(two(conv(4, 3, 1, 2), conv(4, 1))));             // groups
  CHECK(stays(two(conv(4, 3, 2), conv(4, 3, 1), {4, 1, 1})));  // strides, although shapes agree
  CHECK(stays(two(Conv2d{4, {3, 1}, {1, 1}, {1, 1, 0, 0}}, Conv2d{4, {1, 3}, {1, 1}, {0, 0, 1, 1}})));  // a cross
  CHECK(stays(two(conv(4, 3), Conv2d{4, square(3), square(1), Pad{2, 0, 1, 1}})));  // shifted windows

  const auto changed = [](void (*change)(Spec&)) {
    Spec spec = two(conv(4, 3), conv(4, 1));
    change(spec);
    return spec;
  };
  CHECK(stays(changed([](Spec& s) { s.nodes[4].op = Activation{}; })));  // not linear
  CHECK(stays(changed([](Spec& s) { s.nodes[5].op = Mul{}; })));
  const std::vector<Node> one = {{"a", conv(4, 3), {0}}, {"an", BatchNorm{}, {1}}, {"sum", Add{}, {2, 0}}};
  CHECK(stays(make({4, 6, 6}, one)));  // a bare shortcut
  const std::vector<Node> twice = {{"a", conv(4, 3), {0}}, {"an", BatchNorm{}, {1}}, {"sum", Add{}, {2, 2}}};
  CHECK(stays(make({4, 6, 6}, twice)));
  CHECK(stays(changed([](Spec& s) { s.nodes[3].inputs = {2}; })));                        // one after the other
  CHECK(stays(changed([](Spec& s) { s.nodes.push_back({"more", Concat{}, {4, 5}}); })));  // a branch has a reader
  CHECK(stays(changed([](Spec& s) { std::get<Conv2d>(s.nodes[1].op).clamp = Clamp::Relu; })));
  CHECK(stays(changed([](Spec& s) { s.nodes.push_back({"more", Concat{}, {1, 5}}); })));  // its convolution has one

  Spec inner = two(conv(4, 3), conv(4, 1));  // the clamp of an inner sum is not linear
  inner.nodes.back().op = Add{Clamp::Relu};
  inner.nodes.push_back({"n", BatchNorm{}, {0}});
  inner.nodes.push_back({"out", Add{}, {5, 6}});
  CHECK(fused(inner) == "a(input) n(input) out(a,n)");
}

TEST_CASE("a sum inside another sum, and one after the other", "[arch]") {
  Spec shortcut = two(conv(4, 3), conv(4, 1));
  shortcut.nodes.push_back({"out", Add{}, {5, 0}});
  CHECK(fused(shortcut) == "a(input) out(a,input)");

  Spec chain = two(conv(4, 3), conv(4, 1));  // the second sum reads the first: c and an identity
  chain.nodes.push_back({"c", conv(4, 3), {5}});
  chain.nodes.push_back({"cn", BatchNorm{}, {6}});
  chain.nodes.push_back({"id", BatchNorm{}, {5}});
  chain.nodes.push_back({"out", Add{}, {7, 8}});
  CHECK(fused(chain) == "a(input) c(a)");

  Spec dead = two(conv(4, 3), conv(4, 1));  // nobody needs what else reads a branch
  dead.nodes.insert(dead.nodes.begin() + 3, {"dead", Activation{}, {2}});
  dead.nodes[5].inputs = {4};
  dead.nodes[6].inputs = {2, 5};
  Weights weights = random_weights(dead, 1);
  CHECK(outline(fuse_branches(dead, &weights)) == "a(input)");
  CHECK(weights.tensors.size() == 2);
}

TEST_CASE("fused numbers, worked out by hand", "[arch]") {
  const Conv2d wide = conv(2, 3, 1, 2);
  Conv2d point = conv(2, 1, 1, 2);
  point.bias = true;
  Spec spec = two(wide, point, {2, 4, 4});
  for (const int n : {2, 4}) spec.node(n).op = BatchNorm{.eps = 1};
  spec.nodes.push_back({"id", BatchNorm{.eps = 1}, {0}});
  spec.nodes.push_back({"out", Add{}, {5, 6}});
  Weights weights = random_weights(spec, 1);
  set(weights, "a.weight", {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  set(weights, "b.weight", {10, 20});
  set(weights, "b.bias", {1, 2});
  for (const std::string n : {"an", "bn", "id"}) {
    set(weights, n + ".running_var", {3, 8});  // scale = gamma / 2 and gamma / 3
    set(weights, n + ".running_mean", {2, 3});
  }
  set(weights, "an.weight", {2, 6});  // scale 1, 2
  set(weights, "an.bias", {0, 1});    // shift -2, -5
  set(weights, "bn.weight", {4, 3});  // scale 2, 1
  set(weights, "bn.bias", {0, 0});    // shift -4, -3
  set(weights, "id.weight", {1, 3});  // scale 0.5, 1
  set(weights, "id.bias", {2, 3});    // shift 1, 0
  weights.metadata["k"] = "v";
  CHECK(outline(fuse_branches(spec, &weights)) == "a(input)");
  CHECK(get(weights, "a.weight") ==
        std::vector<float>{1, 2, 3, 4, 5 + 20 + 0.5F, 6, 7, 8, 9, 0, 0, 0, 0, 2 + 20 + 1, 0, 0, 0, 0});
  CHECK(get(weights, "a.bias") == std::vector<float>{-2 + (2 * 1 - 4) + 1, -5 + (1 * 2 - 3) + 0});
  CHECK(weights.tensors.size() == 2);
  CHECK(weights.metadata.at("k") == "v");
}

TEST_CASE("fusing refuses weights that have diverged, and leaves them alone", "[arch]") {
  const Spec spec = two(conv(4, 3), conv(4, 1));
  Weights weights = random_weights(spec, 1);
  weights.tensors.at("bn.running_var").f32()[2] = -1;
  const Weights before = weights;
  CHECK_THROWS_WITH(fuse_branches(spec, &weights), Catch::Matchers::Contains("channel 2 of batch norm bn"));
  CHECK_THROWS_AS(lower(spec, &weights), core::Error);
  CHECK(weights == before);
}

TEST_CASE("units of MobileOne: the training form fuses into the inference form", "[arch]") {
  struct Case {
    Shape in;
    MobileOneUnit unit;
    int branches;
  };
  const Case cases[] = {
      {{8, 7, 6}, {8, 3, 1, 8}, 4},    // depthwise, with identity
      {{8, 7, 6}, {8, 3, 2, 8}, 4},    // depthwise, strided
      {{8, 7, 6}, {16, 3, 1, 8}, 2},   // two outputs a channel: no identity
      {{8, 7, 6}, {8, 1, 1, 1}, 4},    // pointwise, with identity
      {{8, 7, 6}, {12, 1, 1, 1}, 4},   // pointwise
      {{8, 7, 6}, {8, 3, 1, 1}, 1},    // dense
      {{3, 9, 8}, {12, 3, 2, 1}, 4},   // the stem
      {{12, 6, 7}, {12, 5, 1, 3}, 2},  // grouped 5x5, with identity
      {{8, 1, 1}, {8, 3, 1, 8}, 2},    // one pixel
  };
  for (const Case& c : cases) {
    const Spec spec = unit(c.in, c.unit, c.branches);
    INFO(outline(spec));
    const Spec shipped = shipped_unit(c.in, c.unit), found = fuse_branches(spec, nullptr);
    CHECK(hash(found) == hash(shipped));
    CHECK(analyze(found) == analyze(shipped));
    CHECK(hash(lower(spec, nullptr)) == hash(lower(shipped, nullptr)));
    for (uint64_t seed = 1; seed <= 3; ++seed) CHECK(distance(spec, lively_weights(spec, seed), seed) < 1e-5);
  }
}

TEST_CASE("fusing: properties over every exemplar", "[arch]") {
  int smaller = 0;
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    Weights weights = lively_weights(spec, 3);
    CHECK(distance(spec, weights, 4) < 1e-5);
    const Spec once = fuse_branches(spec, &weights);
    CHECK(once == fuse_branches(spec, nullptr));
    Weights again = weights;
    CHECK(fuse_branches(once, &again) == once);
    CHECK(again == weights);
    const Analysis before = analyze(spec), after = analyze(once);
    CHECK(after.params <= before.params);
    const bool free_before = name == "branches_identities";  // batch norms count nothing until they are convolutions
    CHECK((after.macs <= before.macs || free_before));
    const bool branches = name.starts_with("branches_") || name == "peer_mobileone_train";
    const bool alone = name == "dead_node" || name == "output_before_the_end";
    CHECK((hash(once) != hash(spec)) == branches);
    CHECK((once != spec) == (branches || alone));
    smaller += branches;
  }
  CHECK(smaller == 11);
}

TEST_CASE("a small MobileOne computes the same before and after", "[arch]") {
  Builder b("mobileone_small", {3, 24, 20});
  const auto block = [&](int x, const std::string& name, int out, int stride) {
    const Builder::Scope scope(b, name);
    x = mobileone_train_unit(b, x, "dw", {static_cast<int>(b.shape(x).c), 3, stride, static_cast<int>(b.shape(x).c)},
                             4);
    return mobileone_train_unit(b, x, "pw", {out, 1, 1, 1}, 4);
  };
  int x = mobileone_train_unit(b, 0, "stem", {12, 3, 2, 1}, 4);
  x = block(x, "b1", 16, 2);
  x = block(x, "b2", 16, 1);
  x = block(x, "b3", 24, 2);
  x = block(x, "b4", 24, 1);
  classifier_head(b, x, 10);
  const Spec spec = b.finish();
  for (uint64_t seed = 1; seed <= 3; ++seed) CHECK(distance(spec, lively_weights(spec, seed), seed) < 1e-5);
}

TEST_CASE("MobileOne's training form ships as its inference form", "[arch]") {
  struct Case {
    std::string name;
    int64_t params, macs;
  };
  for (const Case& c : {Case{"mobileone_s0", 2'078'504, 275'110'400}, Case{"mobileone_s1", 4'764'840, 825'057'024}}) {
    INFO(c.name);
    const Spec train = find_zoo(c.name + "_train").make({3, 224, 224}, 1000);
    const Spec shipped = find_zoo(c.name).make({3, 224, 224}, 1000);
    // The single branches of S1, a convolution with batch norm each, are no sums: lower() takes those.
    const bool sums_only = c.name == "mobileone_s0";
    const Spec found = sums_only ? fuse_branches(train, nullptr) : lower(train, nullptr);
    const Spec expected = sums_only ? shipped : lower(shipped, nullptr);
    const Analysis cost = analyze(found);
    CHECK(cost.params == c.params);
    CHECK(cost.macs == c.macs);
    CHECK(cost == analyze(expected));
    CHECK(hash(found) == hash(expected));
    CHECK(hash(lower(train, nullptr)) == hash(lower(shipped, nullptr)));
    const Design design = design_of(train);
    CHECK(design.lowered_cost == design_of(shipped).lowered_cost);
    CHECK(design.plan.peak_bytes == design_of(shipped).plan.peak_bytes);
  }
}

// So lower() gives of them what it gave before the pass existed.
TEST_CASE("other reference networks have no such branches", "[arch]") {
  for (const ZooCard& card : zoo()) {
    if (card.name.ends_with("_train")) continue;
    INFO(card.name);
    const Spec spec = card.make(card.input, card.classes);
    CHECK(fuse_branches(spec, nullptr) == spec);
  }
}
