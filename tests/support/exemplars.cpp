// The small Specs themselves. Names: <operator>[_<what is special>] and block_<block>[_<options>].

#include "support/exemplars.hpp"

#include <functional>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/peer_blocks.hpp"

namespace condenser::testing {
namespace {

using namespace arch;

using Build = std::function<void(Builder&, int x)>;  // appends nodes to the input

Exemplar make(const std::string& name, Shape input, const Build& build) {
  Builder b(name, input);
  build(b, b.input());
  return {name, b.finish()};
}

// A network of one operator.
Exemplar single(const std::string& name, Shape input, const Op& op) {
  return make(name, input, [&](Builder& b, int x) { b.add("op", op, {x}); });
}

void add_convolutions(std::vector<Exemplar>& list) {
  const Shape map{4, 9, 7};
  const Size one{1, 1};
  list.push_back(single("conv_3x3", map, Conv2d{6, square(3), one, pad_all(1)}));
  list.push_back(single("conv_3x3_bias", map, Conv2d{6, square(3), one, pad_all(1), 1, true}));
  list.push_back(single("conv_1x1", map, Conv2d{7, one, one, Pad{}}));
  list.push_back(single("conv_valid", map, Conv2d{5, square(3), one, Pad{}}));
  list.push_back(single("conv_strided", map, Conv2d{5, square(3), square(2), pad_all(1)}));
  list.push_back(single("conv_5x5", {3, 12, 12}, Conv2d{4, square(5), square(2), pad_all(2), 1, true}));
  list.push_back(single("conv_asymmetric", map, Conv2d{5, Size{3, 2}, Size{2, 1}, Pad{0, 2, 1, 0}, 1, true}));
  list.push_back(single("conv_row", map, Conv2d{6, Size{1, 5}, Size{1, 3}, Pad{0, 0, 4, 1}}));
  list.push_back(single("conv_groups", {8, 6, 6}, Conv2d{12, square(3), one, pad_all(1), 4}));
  list.push_back(single("conv_groups_1x1", {8, 5, 5}, Conv2d{4, one, one, Pad{}, 2, true}));
  list.push_back(single("conv_depthwise", {6, 8, 8}, Conv2d{6, square(3), one, pad_all(1), 6, true}));
  list.push_back(single("conv_depthwise_asymmetric", {5, 9, 8}, Conv2d{5, Size{3, 4}, Size{2, 3}, Pad{1, 0, 3, 2}, 5}));
  list.push_back(single("conv_depthwise_multiplier", {3, 8, 8}, Conv2d{6, square(3), one, pad_all(1), 3}));
  list.push_back(single("conv_whole_map", {4, 5, 3}, Conv2d{8, Size{5, 3}, one, Pad{}, 1, true}));
  list.push_back(single("conv_one_channel", {1, 12, 12}, Conv2d{8, square(3), square(2), pad_all(1)}));
}

void add_activations(std::vector<Exemplar>& list) {
  for (ActivationKind kind :
       {ActivationKind::Relu, ActivationKind::Relu6, ActivationKind::Silu, ActivationKind::Sigmoid,
        ActivationKind::HardSwish, ActivationKind::HardSigmoid, ActivationKind::Tanh}) {
    const std::string name = std::string("activation_") + to_string(kind);
    list.push_back(single(name, {4, 5, 6}, Activation{kind}));
    list.push_back(make("conv_bn_" + std::string(to_string(kind)), {3, 6, 5}, [&](Builder& b, int x) {
      conv_bn_act(b, x, "c", {8, 3, 1, 1, kind});
    }));
  }
}

void add_pools(std::vector<Exemplar>& list) {
  const Shape map{5, 9, 8};
  list.push_back(single("avg_pool", map, AvgPool{square(2), square(2), Pad{}, false}));
  list.push_back(single("avg_pool_include_pad", map, AvgPool{square(3), square(2), pad_all(1), true}));
  list.push_back(single("avg_pool_exclude_pad", map, AvgPool{square(3), square(2), pad_all(1), false}));
  list.push_back(single("avg_pool_asymmetric", map, AvgPool{Size{4, 3}, Size{3, 2}, Pad{1, 2, 0, 1}, true}));
  list.push_back(
      single("avg_pool_asymmetric_exclude_pad", map, AvgPool{Size{4, 3}, Size{3, 2}, Pad{1, 2, 0, 1}, false}));
  list.push_back(single("avg_pool_same", map, AvgPool{square(3), square(1), pad_all(1), false}));
  list.push_back(single("max_pool", map, MaxPool{square(2), square(2), Pad{}}));
  list.push_back(single("max_pool_padded", map, MaxPool{square(3), square(2), pad_all(1)}));
  list.push_back(single("max_pool_asymmetric", map, MaxPool{Size{2, 5}, Size{1, 3}, Pad{1, 0, 2, 1}}));
  list.push_back(single("global_avg_pool", {6, 7, 5}, GlobalAvgPool{}));
  list.push_back(single("global_avg_pool_1x1", {6, 1, 1}, GlobalAvgPool{}));
}

void add_merges(std::vector<Exemplar>& list) {
  const Shape map{6, 5, 4};
  const Conv2d spread{6, square(1), square(1), Pad{}, 1, true};
  const Conv2d grouped{6, square(3), square(1), pad_all(1), 2};
  const auto two = [&](const std::string& name, const Op& op) {  // two different paths from the input
    list.push_back(make(name, map, [&](Builder& b, int x) {
      const int left = b.add("left", spread, {x});
      const int right = b.add("right", grouped, {x});
      b.add("op", op, {left, right});
    }));
  };
  two("add", Add{});
  two("mul", Mul{});
  two("softmax_mul", SoftmaxMul{});
  list.push_back(make("add_input", map, [&](Builder& b, int x) { b.add("op", Add{}, {b.add("c", spread, {x}), x}); }));
  list.push_back(make("add_itself", map, [&](Builder& b, int x) {
    const int c = b.add("c", spread, {x});
    b.add("op", Add{}, {c, c});
  }));
  list.push_back(make("mul_gate", map, [&](Builder& b, int x) {  // sigmoid gate at full resolution
    const int gate = b.add("gate", Activation{ActivationKind::Sigmoid}, {b.add("c", grouped, {x})});
    b.add("op", Mul{}, {gate, x});
  }));
  list.push_back(make("softmax_then_mul", map, [&](Builder& b, int x) {
    const int attention = b.add("softmax", Softmax{}, {b.add("left", grouped, {x})});
    b.add("op", Mul{}, {attention, b.add("right", spread, {x})});
  }));
  for (ActivationKind kind : {ActivationKind::Relu, ActivationKind::Relu6}) {  // clamps that lower() moves into the sum
    list.push_back(make(std::string("add_") + to_string(kind), map, [&](Builder& b, int x) {
      const int sum = b.add("op", Add{}, {b.add("left", spread, {x}), b.add("right", grouped, {x})});
      b.add("act", Activation{kind}, {sum});
    }));
  }
}

void add_others(std::vector<Exemplar>& list) {
  list.push_back(single("batch_norm", {5, 4, 6}, BatchNorm{}));
  list.push_back(single("batch_norm_eps", {5, 4, 6}, BatchNorm{1e-3, 0.01}));
  list.push_back(single("softmax", {6, 3, 4}, Softmax{}));
  list.push_back(single("softmax_vector", {10, 1, 1}, Softmax{}));
  list.push_back(single("linear", {12, 1, 1}, Linear{10, true}));
  list.push_back(single("linear_no_bias", {7, 1, 1}, Linear{5, false}));
  list.push_back(make("linear_relu", {7, 1, 1}, [](Builder& b, int x) {
    b.add("act", Activation{ActivationKind::Relu}, {b.add("fc", Linear{5, true}, {x})});
  }));
  list.push_back(make("batch_norm_unfoldable", {4, 6, 6}, [](Builder& b, int x) {  // its producer has a second reader
    const int c = b.add("c", Conv2d{4, square(3), square(1), pad_all(1)}, {x});
    b.add("op", Add{}, {b.add("bn", BatchNorm{}, {c}), c});
  }));
  list.push_back(make("relu_unmovable", {4, 6, 6}, [](Builder& b, int x) {
    const int c = b.add("c", Conv2d{4, square(3), square(1), pad_all(1)}, {x});
    b.add("op", Add{}, {b.add("act", Activation{ActivationKind::Relu}, {c}), c});
  }));
  list.push_back(make("dead_node", {4, 6, 6}, [](Builder& b, int x) {
    const int c = b.add("c", Conv2d{4, square(3), square(1), pad_all(1)}, {x});
    b.add("dead", Activation{ActivationKind::Silu}, {c});
    b.add("op", Activation{ActivationKind::Tanh}, {c});
  }));
}

std::string block_name(const ColumnOptions& o) {
  std::string name = std::string("block_") + (o.bottleneck ? "bottleneck" : "basic") + "_n" + std::to_string(o.columns);
  name += "_s" + std::to_string(o.stride);
  if (o.kernel != 3) name += "_k" + std::to_string(o.kernel);
  if (o.activation != ActivationKind::Silu) name += std::string("_") + to_string(o.activation);
  return o.attention ? name + "_attention" : name;
}

void add_blocks(std::vector<Exemplar>& list) {
  list.push_back(make("block_conv_bn_act", {3, 8, 8}, [](Builder& b, int x) {
    conv_bn_act(b, x, "c", {8, 3, 2, 1, ActivationKind::Silu});
  }));
  list.push_back(make("block_conv_bn", {8, 8, 8}, [](Builder& b, int x) {
    conv_bn_act(b, x, "c", {8, 5, 1, 4, std::nullopt});
  }));
  list.push_back(make("block_antialias_pool", {4, 9, 8}, [](Builder& b, int x) { antialias_pool(b, x, "pool"); }));
  const auto block = [&](Shape input, const ColumnOptions& o, const std::string& suffix = "") {
    list.push_back(make(block_name(o) + suffix, input, [&](Builder& b, int x) { column_block(b, x, "s1b1", o); }));
  };
  for (const bool bottleneck : {false, true}) {
    for (const int columns : {1, 2, 4}) {
      for (const int stride : {1, 2}) {
        for (const bool attention : {false, true})
          block({8, 8, 6}, {12, columns, 3, stride, bottleneck, attention, ActivationKind::Silu});
      }
    }
    block({8, 8, 8}, {16, 4, 5, 2, bottleneck, true, ActivationKind::HardSwish});
    block({8, 8, 8}, {16, 4, 3, 2, bottleneck, false, ActivationKind::Relu});
    block({8, 7, 9}, {16, 2, 3, 2, bottleneck, true, ActivationKind::Relu6}, "_odd");
    block({16, 6, 6}, {bottleneck ? 8 : 16, 4, 3, 1, bottleneck, true, ActivationKind::Silu}, "_identity");
  }
  list.push_back(make("block_stage", {8, 8, 8}, [](Builder& b, int x) {
    column_stage(b, x, "s1", 2, {12, 4, 3, 2, false, true, ActivationKind::Silu});
  }));
}

// Blocks of the peers whose primitives every executor has.
void add_peer_blocks(std::vector<Exemplar>& list) {
  const ConvStyle keras{true, true, BatchNorm{1e-3, 0.01}};
  const Shape map{8, 7, 6};
  list.push_back(make("peer_depthwise_separable", map, [&](Builder& b, int x) {
    depthwise_separable(b, x, "b1", {12, 3, 2}, keras);
  }));
  list.push_back(make("peer_inverted_residual", map, [](Builder& b, int x) {
    inverted_residual(b, x, "b1", {16, 8});
  }));
  list.push_back(make("peer_fbnet_unit", map, [](Builder& b, int x) { fbnet_unit(b, x, "b1", {2, 12, 5, 2}); }));
  list.push_back(make("peer_resnet_basic", map, [](Builder& b, int x) { resnet_basic(b, x, "b1", {8}); }));
  list.push_back(make("peer_resnet_basic_strided", map, [&](Builder& b, int x) {
    resnet_basic(b, x, "b1", {12, 2, false}, keras);
  }));
  list.push_back(make("peer_resnet_bottleneck", map, [](Builder& b, int x) { resnet_bottleneck(b, x, "b1", {4, 2}); }));
  list.push_back(make("peer_mobileone", map, [](Builder& b, int x) { mobileone_unit(b, x, "b1", {8, 3, 2, 8}); }));
  list.push_back(make("peer_mobileone_train", map, [](Builder& b, int x) {
    mobileone_train_unit(b, x, "b1", {8, 3, 1, 8}, 2);
  }));
}

// Both kinds of block, both merges, the published stem pool: the whole column design in small.
void add_networks(std::vector<Exemplar>& list) {
  const auto network = [&](const std::string& name, Shape input, ActivationKind kind, int classes) {
    list.push_back(make(name, input, [&](Builder& b, int x) {
      {
        const Builder::Scope scope(b, "stem");
        x = conv_bn_act(b, x, "c1", {8, 3, 1, 1, kind});
        x = conv_bn_act(b, x, "c2", {8, 3, 1, 4, kind});
        x = b.add("pool", AvgPool{square(3), square(2), pad_all(1), true}, {x});
      }
      x = column_stage(b, x, "s1", 2, {12, 4, 3, 1, false, true, kind});
      x = column_stage(b, x, "s2", 2, {16, 4, 3, 2, true, true, kind});
      classifier_head(b, x, classes);
    }));
  };
  network("network_tiny", {3, 12, 12}, ActivationKind::Silu, 10);
  network("network_tiny_relu", {1, 12, 11}, ActivationKind::Relu, 10);
  network("network_tiny_one_logit", {3, 11, 12}, ActivationKind::HardSwish, 1);
}

std::vector<Exemplar> make_all() {
  std::vector<Exemplar> list;
  add_convolutions(list);
  add_activations(list);
  add_pools(list);
  add_merges(list);
  add_others(list);
  add_blocks(list);
  add_peer_blocks(list);
  add_networks(list);
  return list;
}

}  // namespace

const std::vector<Exemplar>& exemplars() {
  static const std::vector<Exemplar> list = make_all();
  return list;
}

const Spec& exemplar(const std::string& name) {
  for (const Exemplar& e : exemplars()) {
    if (e.name == name) return e.spec;
  }
  throw core::Error("no exemplar '" + name + "'");
}

}  // namespace condenser::testing
