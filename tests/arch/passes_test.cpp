// lower(): structure, folded numbers worked out by hand, and properties over many networks.
#include "condenser/arch/passes.hpp"

#include <cmath>
#include <limits>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/error.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;

Conv2d conv(int out, int kernel = 1, bool bias = false) {
  return {.out = out, .kernel = square(kernel), .stride = square(1), .pad = pad_all(kernel / 2), .bias = bias};
}

Spec make(Shape input, std::vector<Node> nodes) {
  nodes.insert(nodes.begin(), {"input", Input{}, {}});
  return {"test", input, std::move(nodes)};
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

// "conv(input) add(conv,input)" with clamps, for short comparisons.
std::string sketch(const Spec& spec) {
  std::string text;
  for (const Node& node : spec.nodes) {
    if (node.inputs.empty()) continue;
    text += (text.empty() ? "" : " ") + node.name + ":" + op_name(node.op);
    const auto clamp = [&](Clamp c) { text += c == Clamp::None ? "" : std::string("+") + to_string(c); };
    if (const auto* c = std::get_if<Conv2d>(&node.op)) clamp(c->clamp);
    if (const auto* l = std::get_if<Linear>(&node.op)) clamp(l->clamp);
    if (const auto* a = std::get_if<Add>(&node.op)) clamp(a->clamp);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      text += (i ? "," : "(") + spec.node(node.inputs[i]).name;
    }
    text += ")";
  }
  return text;
}

std::string lowered(Shape input, std::vector<Node> nodes) {
  return sketch(lower(make(input, std::move(nodes)), nullptr));
}

void check_properties(const Spec& spec) {
  INFO(spec.name);
  Weights weights = random_weights(spec, 5);
  weights.metadata["k"] = "v";
  const Weights before = weights;
  const Spec low = lower(spec, &weights);
  check_weights(low, weights);
  REQUIRE(weights.metadata == before.metadata);
  REQUIRE(low == lower(spec, nullptr));
  REQUIRE(lower(low, nullptr) == low);
  Weights again = weights;
  REQUIRE(lower(low, &again) == low);
  REQUIRE(again == weights);

  const Spec fused = fuse_branches(spec, nullptr);
  const Analysis given = analyze(spec), full = analyze(fused), less = analyze(low);
  REQUIRE(low.output_count() == spec.output_count());
  for (size_t k = 0; k < spec.output_count(); ++k) REQUIRE(output_shape(low, less, k) == output_shape(spec, given, k));
  const Liveness live = live_nodes(fused);
  int64_t macs = 0;
  int64_t kept_or_new = 0;
  for (size_t i = 0; i < fused.nodes.size(); ++i) {
    REQUIRE(live[i]);
    macs += full.nodes[i].macs;
    // A batch norm that stays costs one multiplication a value.
    if (std::holds_alternative<BatchNorm>(fused.nodes[i].op)) {
      for (const Node& node : low.nodes) {
        if (node.name == fused.nodes[i].name) kept_or_new += full.nodes[i].shape.elements();
      }
    }
  }
  REQUIRE(less.macs == macs + kept_or_new);
  const Design design = design_of(spec);
  REQUIRE(design.lowered == low);
  REQUIRE(design.lowered_cost == less);
  for (const Node& node : low.nodes) {
    REQUIRE_FALSE(std::holds_alternative<BatchNorm>(node.op));
    REQUIRE(spec.node(find_node(spec, node.name)).name == node.name);
  }
}

}  // namespace

TEST_CASE("lower folds batch norm into the convolution before it", "[arch]") {
  const Spec spec = make({1, 1, 1}, {{"c", conv(2), {0}}, {"c_bn", BatchNorm{.eps = 1}, {1}}});
  Weights weights = random_weights(spec, 1);
  set(weights, "c.weight", {2, -3});
  set(weights, "c_bn.weight", {4, 6});
  set(weights, "c_bn.bias", {0.5, 1});
  set(weights, "c_bn.running_mean", {10, -1});
  set(weights, "c_bn.running_var", {3, 8});
  const Spec low = lower(spec, &weights);
  REQUIRE(sketch(low) == "c:conv2d(input)");
  REQUIRE(std::get<Conv2d>(low.nodes[1].op).bias);
  // scale = 4 / sqrt(3 + 1) = 2 and 6 / sqrt(8 + 1) = 2; shift = 0.5 - 10 * 2 and 1 + 1 * 2.
  REQUIRE(get(weights, "c.weight") == std::vector<float>{4, -6});
  REQUIRE(get(weights, "c.bias") == std::vector<float>{-19.5, 3});
  REQUIRE(weights.tensors.size() == 2);
}

TEST_CASE("lower folds into a bias that is there, into linear, and twice", "[arch]") {
  const Spec spec = make(
      {3, 1, 1}, {{"fc", Linear{.out = 2}, {0}}, {"n1", BatchNorm{.eps = 1}, {1}}, {"n2", BatchNorm{.eps = 1}, {2}}});
  Weights weights = random_weights(spec, 1);
  set(weights, "fc.weight", {1, 2, 3, 4, 5, 6});
  set(weights, "fc.bias", {1, -1});
  for (const char* n : {"n1", "n2"}) {
    set(weights, std::string(n) + ".weight", {2, 4});
    set(weights, std::string(n) + ".bias", {1, 0});
    set(weights, std::string(n) + ".running_mean", {0, 2});
    set(weights, std::string(n) + ".running_var", {3, 3});  // scale 1 and 2
  }
  REQUIRE(sketch(lower(spec, &weights)) == "fc:linear(input)");
  REQUIRE(get(weights, "fc.weight") == std::vector<float>{1, 2, 3, 16, 20, 24});
  // Channel 0: 1 + 1 + 1; channel 1: ((-1 - 2) * 2 - 2) * 2.
  REQUIRE(get(weights, "fc.bias") == std::vector<float>{3, -16});
}

TEST_CASE("lower keeps a batch norm it cannot fold as a depthwise convolution", "[arch]") {
  REQUIRE(lowered({2, 4, 4}, {{"n", BatchNorm{}, {0}}}) == "n:conv2d(input)");
  REQUIRE(lowered({2, 4, 4}, {{"p", MaxPool{square(2), square(2), {}}, {0}}, {"n", BatchNorm{}, {1}}}) ==
          "p:max_pool(input) n:conv2d(p)");
  REQUIRE(lowered({2, 4, 4}, {{"a", Add{}, {0, 0}}, {"n", BatchNorm{}, {1}}}) == "a:add(input,input) n:conv2d(a)");
  // The convolution is read by another: its own value must stay.
  REQUIRE(lowered({2, 4, 4}, {{"c", conv(2), {0}}, {"n", BatchNorm{}, {1}}, {"a", Add{}, {1, 2}}}) ==
          "c:conv2d(input) n:conv2d(c) a:add(c,n)");
  // A clamp stands between.
  REQUIRE(lowered({2, 4, 4},
                  {{"c", conv(2), {0}}, {"r", Activation{ActivationKind::Relu}, {1}}, {"n", BatchNorm{}, {2}}}) ==
          "c:conv2d+relu(input) n:conv2d(c)");
  // What it became is a producer like any other.
  REQUIRE(lowered({2, 4, 4},
                  {{"n", BatchNorm{}, {0}}, {"m", BatchNorm{}, {1}}, {"r", Activation{ActivationKind::Relu6}, {2}}}) ==
          "n:conv2d+relu6(input)");

  const Spec spec = make({2, 4, 4}, {{"n", BatchNorm{.eps = 1}, {0}}});
  Weights weights = random_weights(spec, 1);
  set(weights, "n.weight", {2, 3});
  set(weights, "n.bias", {1, 0});
  set(weights, "n.running_mean", {1, 2});
  set(weights, "n.running_var", {3, 8});
  const Spec low = lower(spec, &weights);
  const auto& depthwise_conv = std::get<Conv2d>(low.nodes[1].op);
  REQUIRE(depthwise(depthwise_conv, {2, 4, 4}));
  REQUIRE(weights.at("n.weight").shape == std::vector<int64_t>{2, 1, 1, 1});
  REQUIRE(get(weights, "n.weight") == std::vector<float>{1, 1});
  REQUIRE(get(weights, "n.bias") == std::vector<float>{0, -2});
  REQUIRE(weights.tensors.size() == 2);
}

TEST_CASE("lower moves clamps into their producer", "[arch]") {
  const Activation relu{ActivationKind::Relu}, relu6{ActivationKind::Relu6}, silu{ActivationKind::Silu};
  const Shape in{2, 4, 4};
  REQUIRE(lowered(in, {{"c", conv(2), {0}}, {"r", relu, {1}}}) == "c:conv2d+relu(input)");
  REQUIRE(lowered(in, {{"c", conv(2), {0}}, {"n", BatchNorm{}, {1}}, {"r", relu6, {2}}}) == "c:conv2d+relu6(input)");
  REQUIRE(lowered(in, {{"a", Add{}, {0, 0}}, {"r", relu, {1}}}) == "a:add+relu(input,input)");
  REQUIRE(lowered({2, 1, 1}, {{"f", Linear{.out = 3}, {0}}, {"r", relu, {1}}}) == "f:linear+relu(input)");
  REQUIRE(lowered(in, {{"c", conv(2), {0}}, {"r", silu, {1}}}) == "c:conv2d(input) r:activation(c)");
  REQUIRE(lowered(in, {{"p", MaxPool{square(2), square(2), {}}, {0}}, {"r", relu, {1}}}) ==
          "p:max_pool(input) r:activation(p)");
  // The unclamped value is needed too.
  REQUIRE(lowered(in, {{"c", conv(2), {0}}, {"r", relu, {1}}, {"a", Add{}, {1, 2}}}) ==
          "c:conv2d(input) r:activation(c) a:add(c,r)");
  REQUIRE(lowered(in, {{"c", conv(2), {0}}, {"r", relu, {1}}, {"s", relu6, {2}}}) == "c:conv2d+relu6(input)");
  REQUIRE(lowered(in, {{"c", conv(2), {0}}, {"r", relu6, {1}}, {"s", relu, {2}}}) == "c:conv2d+relu6(input)");
}

TEST_CASE("lower joins softmax and product", "[arch]") {
  const Shape in{4, 2, 2};
  REQUIRE(lowered(in, {{"c", conv(4), {0}}, {"s", Softmax{}, {1}}, {"m", Mul{}, {2, 0}}}) ==
          "c:conv2d(input) m:softmax_mul(c,input)");
  REQUIRE(lowered(in, {{"c", conv(4), {0}}, {"s", Softmax{}, {1}}, {"m", Mul{}, {0, 2}}}) ==
          "c:conv2d(input) m:softmax_mul(c,input)");
  // Both are softmaxes: the first goes.
  REQUIRE(lowered(in, {{"c", conv(4), {0}}, {"s", Softmax{}, {1}}, {"t", Softmax{}, {0}}, {"m", Mul{}, {3, 2}}}) ==
          "c:conv2d(input) s:softmax(c) m:softmax_mul(input,s)");
  // Read elsewhere too, or twice by the product.
  REQUIRE(lowered(in, {{"s", Softmax{}, {0}}, {"m", Mul{}, {1, 0}}, {"a", Add{}, {1, 2}}}) ==
          "s:softmax(input) m:mul(s,input) a:add(s,m)");
  REQUIRE(lowered(in, {{"s", Softmax{}, {0}}, {"m", Mul{}, {1, 1}}}) == "s:softmax(input) m:mul(s,s)");
}

TEST_CASE("lower drops dead nodes first, and their weights", "[arch]") {
  const Spec spec = make({2, 4, 4}, {{"c", conv(2), {0}},
                                     {"dead", conv(3), {1}},
                                     {"n", BatchNorm{}, {1}},
                                     {"dead_bn", BatchNorm{}, {2}},
                                     {"r", Activation{ActivationKind::Relu}, {3}}});
  Weights weights = random_weights(spec, 1);
  REQUIRE(sketch(lower(spec, &weights)) == "c:conv2d+relu(input)");
  REQUIRE(weights.tensors.size() == 2);
}

TEST_CASE("lower refuses weights that do not fit or have diverged, and leaves them alone", "[arch]") {
  const Spec spec = make({1, 1, 1}, {{"c", conv(2), {0}}, {"c_bn", BatchNorm{}, {1}}});
  Weights weights = random_weights(spec, 1);
  weights.tensors.at("c_bn.running_var").f32()[1] = -1;
  const Weights before = weights;
  REQUIRE_THROWS_WITH(lower(spec, &weights), Catch::Matchers::Contains("channel 1 of batch norm c_bn"));
  REQUIRE(weights == before);
  weights.tensors.at("c_bn.running_var").f32()[1] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_AS(lower(spec, &weights), core::Error);
  weights.tensors.erase("c.weight");
  REQUIRE_THROWS_WITH(lower(spec, &weights), Catch::Matchers::Contains("c.weight is missing"));
}

TEST_CASE("lower: properties over hand-made networks", "[arch]") {
  check_properties(make({2, 4, 4}, {{"c", conv(4, 3), {0}},
                                    {"c_bn", BatchNorm{}, {1}},
                                    {"c_act", Activation{ActivationKind::Silu}, {2}},
                                    {"k", conv(4, 3, true), {3}},
                                    {"k_bn", BatchNorm{}, {4}},
                                    {"soft", Softmax{}, {5}},
                                    {"mul", Mul{}, {3, 6}},
                                    {"post", BatchNorm{}, {7}},
                                    {"dead", conv(2), {7}},
                                    {"act", Activation{ActivationKind::Relu}, {8}},
                                    {"gap", GlobalAvgPool{}, {10}},
                                    {"fc", Linear{.out = 3}, {11}}}));
}

TEST_CASE("lower: properties over every exemplar", "[arch]") {
  for (const auto& exemplar : testing::exemplars()) check_properties(exemplar.spec);
}

TEST_CASE("lower: properties over every reference network", "[arch][slow]") {
  for (const ZooCard& card : zoo()) {
    const bool vector = card.input.h == 1;
    const int64_t side = card.family == "AttendNet" ? 64 : 32;  // its last condensers need a map of 2x2
    const Spec spec = vector ? card.make(card.input, card.classes) : card.make({card.input.c, side, side}, 10);
    if (analyze(spec).params < 10'000'000) check_properties(spec);  // the larger ones only take longer
  }
}
