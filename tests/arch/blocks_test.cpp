// Structure of the blocks: node by node as published, and what they refuse.

#include "condenser/arch/blocks.hpp"

#include <optional>

#include "condenser/arch/analysis.hpp"
#include "support/catch.hpp"

using namespace condenser::arch;

namespace {

// "c1(pool)": each node with its inputs, in order.
std::string outline(const Spec& spec) {
  std::string text;
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    text += (i == 1 ? "" : " ") + node.name + "(";
    for (size_t k = 0; k < node.inputs.size(); ++k) text += (k == 0 ? "" : ",") + spec.node(node.inputs[k]).name;
    text += ")";
  }
  return text;
}

Spec block(Shape input, const ColumnOptions& o) {
  Builder b("block", input);
  column_block(b, b.input(), "b", o);
  return b.finish();
}

const Conv2d& conv(const Spec& spec, const std::string& name) {
  return std::get<Conv2d>(spec.node(find_node(spec, name)).op);
}

ColumnOptions options(int channels, int stride, bool bottleneck, bool attention) {
  ColumnOptions o;
  o.channels = channels;
  o.stride = stride;
  o.bottleneck = bottleneck;
  o.attention = attention;
  return o;
}

}  // namespace

TEST_CASE("Basic block: strided attention condenser", "[arch]") {
  const Spec spec = block({8, 8, 8}, options(12, 2, false, true));
  CHECK(outline(spec) ==
        "b_pool(input) b_c1(b_pool) b_c1_bn(b_c1) b_c1_act(b_c1_bn) b_c2(b_c1_act) b_c2_bn(b_c2) "
        "b_scpool(input) b_sc(b_scpool) b_sc_bn(b_sc) b_softmax(b_c2_bn) b_mul(b_softmax,b_sc_bn) b_act(b_mul)");
  CHECK(conv(spec, "b_c1") == Conv2d{12, square(3), square(1), pad_all(1), 4});
  CHECK(conv(spec, "b_c2") == Conv2d{12, square(3), square(1), pad_all(1), 4});
  CHECK(conv(spec, "b_sc") == Conv2d{12, square(1), square(1), Pad{}, 1});
  CHECK(std::get<AvgPool>(spec.nodes[1].op) == AvgPool{square(2), square(2), Pad{}, false});
  CHECK(analyze(spec).nodes.back().shape == Shape{12, 4, 4});
}

TEST_CASE("Bottleneck block pools after its first 1x1", "[arch]") {
  const Spec spec = block({8, 8, 8}, options(12, 2, true, true));
  CHECK(outline(spec) ==
        "b_c1(input) b_c1_bn(b_c1) b_c1_act(b_c1_bn) b_pool(b_c1_act) b_c2(b_pool) b_c2_bn(b_c2) b_c2_act(b_c2_bn) "
        "b_c3(b_c2_act) b_c3_bn(b_c3) b_scpool(input) b_sc(b_scpool) b_sc_bn(b_sc) b_softmax(b_c3_bn) "
        "b_mul(b_softmax,b_sc_bn) b_act(b_mul)");
  CHECK(conv(spec, "b_c1") == Conv2d{12, square(1), square(1), Pad{}, 1});
  CHECK(conv(spec, "b_c2") == Conv2d{12, square(3), square(1), pad_all(1), 4});
  CHECK(conv(spec, "b_c3") == Conv2d{24, square(1), square(1), Pad{}, 1});
  CHECK(analyze(spec).nodes.back().shape == Shape{24, 4, 4});
}

TEST_CASE("Without a change of shape a block adds its input, attention or not", "[arch]") {
  const std::string plain =
      "b_c1(input) b_c1_bn(b_c1) b_c1_act(b_c1_bn) b_c2(b_c1_act) b_c2_bn(b_c2) b_add(b_c2_bn,input) b_act(b_add)";
  CHECK(outline(block({12, 8, 8}, options(12, 1, false, true))) == plain);
  CHECK(outline(block({12, 8, 8}, options(12, 1, false, false))) == plain);
  CHECK(find_node(block({24, 8, 8}, options(12, 1, true, true)), "b_add") > 0);
}

TEST_CASE("More channels at stride 1 project without a pool", "[arch]") {
  const std::string main = "b_c1(input) b_c1_bn(b_c1) b_c1_act(b_c1_bn) b_c2(b_c1_act) b_c2_bn(b_c2) ";
  CHECK(outline(block({8, 8, 8}, options(12, 1, false, true))) ==
        main + "b_sc(input) b_sc_bn(b_sc) b_softmax(b_c2_bn) b_mul(b_softmax,b_sc_bn) b_act(b_mul)");
  CHECK(outline(block({8, 8, 8}, options(12, 1, false, false))) ==
        main + "b_sc(input) b_sc_bn(b_sc) b_add(b_c2_bn,b_sc_bn) b_act(b_add)");
}

TEST_CASE("A strided block projects even when channels stay", "[arch]") {
  CHECK(find_node(block({12, 8, 8}, options(12, 2, false, true)), "b_sc") > 0);
}

TEST_CASE("A stage strides once and projects once", "[arch]") {
  Builder b("stage", {8, 9, 8});
  const int out = column_stage(b, b.input(), "s2", 3, options(12, 2, true, true));
  CHECK(b.shape(out) == Shape{24, 4, 4});
  const Spec spec = b.finish();
  for (const char* name : {"s2b1_pool", "s2b1_scpool", "s2b1_mul", "s2b2_add", "s2b3_add"})
    CHECK(find_node(spec, name) > 0);
  for (const char* name : {"s2b2_pool", "s2b2_sc", "s2b3_softmax", "s2b4_c1"})
    CHECK_THROWS_AS(find_node(spec, name), SpecError);
}

TEST_CASE("Kernel, columns and activation reach the convolutions", "[arch]") {
  ColumnOptions o = options(12, 1, true, false);
  o.columns = 2;
  o.kernel = 5;
  o.activation = ActivationKind::HardSwish;
  const Spec spec = block({8, 8, 8}, o);
  CHECK(conv(spec, "b_c2") == Conv2d{12, square(5), square(1), pad_all(2), 2});
  CHECK(conv(spec, "b_c1").groups == 1);
  int activations = 0;
  for (const Node& node : spec.nodes) {
    const Activation* act = std::get_if<Activation>(&node.op);
    if (!act) continue;
    CHECK(act->kind == ActivationKind::HardSwish);
    ++activations;
  }
  CHECK(activations == 3);
}

TEST_CASE("conv_bn_act and classifier_head", "[arch]") {
  Builder b("net", {3, 9, 9});
  int x = conv_bn_act(b, b.input(), "c", {6, 5, 2, 3, std::nullopt});
  CHECK(b.shape(x) == Shape{6, 5, 5});
  x = classifier_head(b, x, 10);
  CHECK(b.shape(x) == Shape{10, 1, 1});
  const Spec spec = b.finish();
  CHECK(outline(spec) == "c(input) c_bn(c) gap(c_bn) fc(gap)");
  CHECK(std::get<Linear>(spec.nodes.back().op).bias);
  CHECK_FALSE(conv(spec, "c").bias);
}

TEST_CASE("Blocks refuse impossible options by name", "[arch]") {
  const Shape map{8, 8, 8};
  const auto refused = [&](void (*change)(ColumnOptions&)) {
    ColumnOptions o = options(12, 2, false, true);
    change(o);
    try {
      block(map, o);
    } catch (const SpecError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK_THAT(refused([](ColumnOptions& o) { o.channels = 0; }), Catch::Contains("node b: channels = 0"));
  CHECK_THAT(refused([](ColumnOptions& o) { o.channels = 13; }), Catch::Contains("multiple of columns"));
  CHECK_THAT(refused([](ColumnOptions& o) { o.columns = 0; }), Catch::Contains("columns = 0"));
  CHECK_THAT(refused([](ColumnOptions& o) { o.columns = 3; }), Catch::Contains("8 channels in, 12 out, groups 3"));
  CHECK_THAT(refused([](ColumnOptions& o) { o.kernel = 2; }), Catch::Contains("kernel = 2; expected an odd"));
  CHECK_THAT(refused([](ColumnOptions& o) { o.stride = 3; }), Catch::Contains("stride = 3; expected 1 or 2"));
  Builder b("stage", map);
  CHECK_THROWS_WITH(column_stage(b, 0, "s1", 0, options(12, 2, false, true)), Catch::Contains("depth = 0"));
  Builder thin("thin", {8, 1, 8});
  CHECK_THROWS_WITH(column_block(thin, 0, "b", options(12, 2, false, true)),
                    Catch::Contains("b_pool: kernel height 2"));
}
