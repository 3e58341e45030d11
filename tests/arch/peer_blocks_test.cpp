// Structure of the peers' blocks: node by node, shapes, and what they refuse.

#include "condenser/arch/peer_blocks.hpp"

#include <functional>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"
#include "support/catch.hpp"

using namespace condenser::arch;

namespace {

using Append = std::function<void(Builder&, int)>;

Spec block(Shape input, const Append& append) {
  Builder b("block", input);
  append(b, b.input());
  return b.finish();
}

// "c1(pool)": each node with its inputs, in order, without the block's name "b_".
std::string outline(const Spec& spec) {
  const auto plain = [](const std::string& name) { return name.starts_with("b_") ? name.substr(2) : name; };
  std::string text;
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    text += (i == 1 ? "" : " ") + plain(node.name) + "(";
    for (size_t k = 0; k < node.inputs.size(); ++k) text += (k == 0 ? "" : ",") + plain(spec.node(node.inputs[k]).name);
    text += ")";
  }
  return text;
}

const Conv2d& conv(const Spec& spec, const std::string& name) {
  return std::get<Conv2d>(spec.node(find_node(spec, name)).op);
}

Shape out(const Spec& spec) { return analyze(spec).nodes.back().shape; }

Spec residual(Shape input, const InvertedResidual& o) {
  return block(input, [&](Builder& b, int x) { inverted_residual(b, x, "b", o); });
}

std::string refusal(Shape input, const Append& append) {
  try {
    block(input, append);
  } catch (const SpecError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("SAME padding gives ceil(in / stride) outputs, the odd zero behind", "[arch]") {
  CHECK(same_pad({3, 32, 32}, square(3), square(2)) == Pad{0, 1, 0, 1});
  CHECK(same_pad({3, 32, 32}, square(3), square(1)) == pad_all(1));
  CHECK(same_pad({3, 32, 32}, square(1), square(2)) == Pad{});
  CHECK(same_pad({1, 49, 10}, Size{10, 4}, square(2)) == Pad{4, 5, 1, 1});  // the stem of MLPerf Tiny's DS-CNN
  CHECK(same_pad({1, 28, 28}, Size{10, 4}, square(2)) == Pad{4, 4, 1, 1});
  for (const int side : {1, 2, 5, 6, 7, 8}) {
    for (const int kernel : {1, 2, 3, 4, 7}) {
      for (const int stride : {1, 2, 3}) {
        const Pad p = same_pad({1, side, side}, square(kernel), square(stride));
        INFO(side << " " << kernel << " " << stride);
        CHECK(window_out(side, kernel, stride, p.top, p.bottom) == (side + stride - 1) / stride);
        CHECK(p.bottom - p.top >= 0);
        CHECK(p.bottom - p.top <= 1);
      }
    }
  }
}

TEST_CASE("Widths are rounded as MobileNetV2 does", "[arch]") {
  CHECK(round_channels(16, 8) == 16);
  CHECK(round_channels(18, 8) == 24);  // 16 would lose more than a tenth
  CHECK(round_channels(19, 8) == 24);
  CHECK(round_channels(25, 8) == 24);
  CHECK(round_channels(3, 8) == 8);
  CHECK(round_channels(30, 8) == 32);
  CHECK(round_channels(18, 4) == 20);
}

TEST_CASE("peer_conv follows the style of its framework", "[arch]") {
  const ConvStyle keras{true, true, BatchNorm{1e-3, 0.01}};
  const Spec spec = block({3, 8, 8}, [&](Builder& b, int x) {
    x = peer_conv(b, x, "c", {6, square(3), 2, 1, ActivationKind::Relu}, keras);
    depthwise_conv(b, x, "d", 5, 1, std::nullopt);
  });
  CHECK(outline(spec) == "c(input) c_bn(c) c_act(c_bn) d(c_act) d_bn(d)");
  CHECK(conv(spec, "c") == Conv2d{6, square(3), square(2), Pad{0, 1, 0, 1}, 1, true});
  CHECK(std::get<BatchNorm>(spec.nodes[2].op) == BatchNorm{1e-3, 0.01});
  CHECK(conv(spec, "d") == Conv2d{6, square(5), square(1), pad_all(2), 6});
}

TEST_CASE("Squeeze-excite multiplies every pixel by one factor per channel", "[arch]") {
  const Spec spec = block({8, 5, 5}, [](Builder& b, int x) { squeeze_excite(b, x, "b", {.reduced = 2}); });
  CHECK(outline(spec) == "pool(input) reduce(pool) act(reduce) expand(act) gate(expand) mul(input,gate)");
  CHECK(out(spec) == Shape{8, 5, 5});
  CHECK(analyze(spec).params == 8 * 2 + 2 + 2 * 8 + 8);
  CHECK(std::get<Activation>(spec.nodes[5].op).kind == ActivationKind::HardSigmoid);
}

TEST_CASE("Depthwise-separable unit", "[arch]") {
  const Spec spec = block({8, 9, 9}, [](Builder& b, int x) { depthwise_separable(b, x, "b", {12, 3, 2}); });
  CHECK(outline(spec) == "dw(input) dw_bn(dw) dw_act(dw_bn) pw(dw_act) pw_bn(pw) pw_act(pw_bn)");
  CHECK(conv(spec, "b_dw").groups == 8);
  CHECK(out(spec) == Shape{12, 5, 5});
}

TEST_CASE("Inverted residual: expansion, squeeze-excite and sum appear where they belong", "[arch]") {
  const std::string main = "dw(input) dw_bn(dw) dw_act(dw_bn) pwl(dw_act) pwl_bn(pwl)";
  CHECK(outline(residual({8, 8, 8}, {8, 12, 3, 1})) == main);
  CHECK(outline(residual({8, 8, 8}, {8, 8, 3, 2})) == main);
  CHECK(outline(residual({8, 8, 8}, {8, 8, 3, 1})) == main + " add(pwl_bn,input)");
  const Spec full = residual({8, 8, 8}, {24, 8, 5, 1, ActivationKind::HardSwish, SqueezeExcite{4}});
  CHECK(outline(full) ==
        "pw(input) pw_bn(pw) pw_act(pw_bn) dw(pw_act) dw_bn(dw) dw_act(dw_bn) se_pool(dw_act) se_reduce(se_pool) "
        "se_act(se_reduce) se_expand(se_act) se_gate(se_expand) se_mul(dw_act,se_gate) pwl(se_mul) pwl_bn(pwl) "
        "add(pwl_bn,input)");
  CHECK(conv(full, "b_dw") == Conv2d{24, square(5), square(1), pad_all(2), 24});
  CHECK(out(residual({8, 9, 9}, {24, 16, 3, 2})) == Shape{16, 5, 5});
}

TEST_CASE("FBNet unit is the inverted residual with ReLU", "[arch]") {
  const Spec spec = block({8, 8, 8}, [](Builder& b, int x) { fbnet_unit(b, x, "b", {3, 8, 5, 1}); });
  CHECK(spec == residual({8, 8, 8}, {24, 8, 5, 1, ActivationKind::Relu, std::nullopt}));
}

TEST_CASE("ResNet units project when strided or wider", "[arch]") {
  const auto basic = [](Shape in, const ResnetUnit& o) {
    return block(in, [&](Builder& b, int x) { resnet_basic(b, x, "b", o); });
  };
  const std::string main = "c1(input) c1_bn(c1) c1_act(c1_bn) c2(c1_act) c2_bn(c2) ";
  CHECK(outline(basic({8, 8, 8}, {8})) == main + "add(c2_bn,input) act(add)");
  CHECK(outline(basic({8, 8, 8}, {8, 2})) == main + "sc(input) sc_bn(sc) add(c2_bn,sc_bn) act(add)");
  CHECK(outline(basic({4, 8, 8}, {8, 1, false})) == main + "sc(input) add(c2_bn,sc) act(add)");
  CHECK(find_node(basic({8, 1, 1}, {8, 2}), "b_sc") > 0);
  const Spec spec = block({8, 9, 9}, [](Builder& b, int x) { resnet_bottleneck(b, x, "b", {6, 2}); });
  CHECK(out(spec) == Shape{24, 5, 5});
  CHECK(conv(spec, "b_c1").stride == square(1));
  CHECK(conv(spec, "b_c2").stride == square(2));
  CHECK(conv(spec, "b_sc") == Conv2d{24, square(1), square(2)});
}

TEST_CASE("ShuffleNetV2 unit keeps half and computes half", "[arch]") {
  const auto unit = [](Shape in, int channels, int stride) {
    return block(in, [&](Builder& b, int x) { shufflenet_v2_unit(b, x, "b", channels, stride); });
  };
  const Spec plain = unit({8, 6, 6}, 8, 1);
  CHECK(outline(plain) ==
        "left(input) right(input) c1(right) c1_bn(c1) c1_act(c1_bn) c2(c1_act) c2_bn(c2) c3(c2_bn) c3_bn(c3) "
        "c3_act(c3_bn) concat(left,c3_act) shuffle(concat)");
  CHECK(out(plain) == Shape{8, 6, 6});
  const Spec strided = unit({6, 7, 7}, 16, 2);
  CHECK(out(strided) == Shape{16, 4, 4});
  CHECK(conv(strided, "b_c1").out == 8);
  CHECK(conv(strided, "b_scdw").groups == 6);
}

TEST_CASE("Ghost module computes one in ratio maps in full", "[arch]") {
  const auto ghost = [](const GhostModule& o) {
    return block({8, 6, 6}, [&](Builder& b, int x) { ghost_module(b, x, "b", o); });
  };
  const Spec even = ghost({.out = 12});
  CHECK(outline(even) ==
        "primary(input) primary_bn(primary) primary_act(primary_bn) cheap(primary_act) cheap_bn(cheap) "
        "cheap_act(cheap_bn) concat(primary_act,cheap_act)");
  CHECK(conv(even, "b_primary").out == 6);
  CHECK(conv(even, "b_cheap").groups == 6);
  const Spec odd = ghost({.out = 11, .ratio = 3, .relu = false});
  CHECK(conv(odd, "b_primary").out == 4);
  CHECK(conv(odd, "b_cheap") == Conv2d{8, square(3), square(1), pad_all(1), 4});
  CHECK(find_node(odd, "b_slice") > 0);
  CHECK(out(odd) == Shape{11, 6, 6});
}

TEST_CASE("Ghost bottleneck: strided with squeeze-excite, and identity", "[arch]") {
  const auto ghost = [](const GhostBottleneck& o) {
    return block({8, 9, 9}, [&](Builder& b, int x) { ghost_bottleneck(b, x, "b", o); });
  };
  const Spec strided = ghost({24, 12, 5, 2, 4});
  CHECK(out(strided) == Shape{12, 5, 5});
  for (const char* name : {"b_ghost1_cheap", "b_dw", "b_se_mul", "b_ghost2_concat", "b_scdw", "b_sc"})
    CHECK(find_node(strided, name) > 0);
  CHECK(conv(strided, "b_scdw") == Conv2d{8, square(5), square(2), pad_all(2), 8});
  const Spec plain = ghost({16, 8, 3, 1, 0});
  CHECK(plain.nodes.back().inputs[1] == 0);
  for (const char* name : {"b_dw", "b_se_mul", "b_sc"}) CHECK_THROWS_AS(find_node(plain, name), SpecError);
}

TEST_CASE("MobileOne unit: branches in training, one convolution in inference", "[arch]") {
  const auto train = [](Shape in, const MobileOneUnit& o, int branches) {
    return block(in, [&](Builder& b, int x) { mobileone_train_unit(b, x, "b", o, branches); });
  };
  CHECK(outline(train({8, 6, 6}, {8, 3, 1, 8}, 2)) ==
        "conv1(input) conv1_bn(conv1) conv2(input) conv2_bn(conv2) scale(input) scale_bn(scale) identity(input) "
        "add1(conv1_bn,conv2_bn) add2(add1,scale_bn) add3(add2,identity) act(add3)");
  CHECK(outline(train({8, 6, 6}, {12, 1, 1, 1}, 1)) == "conv1(input) conv1_bn(conv1) act(conv1_bn)");
  CHECK_THROWS_AS(find_node(train({8, 1, 1}, {8, 3, 2, 8}, 1), "b_identity"), SpecError);
  const Spec shipped = block({8, 7, 7}, [](Builder& b, int x) { mobileone_unit(b, x, "b", {8, 3, 2, 8}); });
  CHECK(outline(shipped) == "b(input) act(b)");
  CHECK(conv(shipped, "b") == Conv2d{8, square(3), square(2), pad_all(1), 8, true});
  CHECK(out(shipped) == out(train({8, 7, 7}, {8, 3, 2, 8}, 4)));
}

TEST_CASE("Peers' blocks refuse impossible options by name", "[arch]") {
  const Shape map{8, 8, 8};
  const auto shuffle = [](int channels, int stride) {
    return [=](Builder& b, int x) { shufflenet_v2_unit(b, x, "b", channels, stride); };
  };
  CHECK_THAT(refusal(map, shuffle(9, 2)), Catch::Contains("node b: out = 9; expected an even number"));
  CHECK_THAT(refusal(map, shuffle(16, 1)), Catch::Contains("out = 16 of 8 channels at stride 1"));
  CHECK_THAT(refusal(map, shuffle(8, 3)), Catch::Contains("stride = 3"));
  CHECK_THAT(refusal(map,
                     [](Builder& b, int x) {
                       inverted_residual(b, x, "b", {0, 8});
                     }),
             Catch::Contains("expanded = 0"));
  CHECK_THAT(refusal(map,
                     [](Builder& b, int x) {
                       inverted_residual(b, x, "b", {8, 8, 4});
                     }),
             Catch::Contains("kernel = 4; expected an odd"));
  CHECK_THAT(refusal(map, [](Builder& b, int x) { squeeze_excite(b, x, "b", {}); }), Catch::Contains("reduced = 0"));
  CHECK_THAT(refusal(map, [](Builder& b, int x) { fbnet_unit(b, x, "b", {0, 8}); }), Catch::Contains("expansion = 0"));
  CHECK_THAT(refusal(map, [](Builder& b, int x) { ghost_module(b, x, "b", {.out = 1}); }),
             Catch::Contains("ratio = 2"));
  CHECK_THAT(refusal(map, [](Builder& b, int x) { mobileone_train_unit(b, x, "b", {8}, 0); }),
             Catch::Contains("branches = 0"));
  CHECK_THAT(refusal(map, [](Builder& b, int x) { resnet_basic(b, x, "b", {}); }), Catch::Contains("channels = 0"));
}
