// The small Specs themselves. Names: <operator>[_<what is special>] and block_<block>[_<options>].

#include "support/exemplars.hpp"

#include <functional>

#include "condenser/arch/attention_blocks.hpp"
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
  list.push_back(single("conv_depthwise_along_time", {6, 20, 1}, Conv2d{6, Size{9, 1}, one, Pad{4, 4, 0, 0}, 6}));
  list.push_back(single("conv_depthwise_multiplier", {3, 8, 8}, Conv2d{6, square(3), one, pad_all(1), 3}));
  list.push_back(single("conv_whole_map", {4, 5, 3}, Conv2d{8, Size{5, 3}, one, Pad{}, 1, true}));
  list.push_back(single("conv_one_channel", {1, 12, 12}, Conv2d{8, square(3), square(2), pad_all(1)}));
}

// Weights of 4 bits share bytes: even and odd numbers of channels, alone and in groups.
void add_four_bits(std::vector<Exemplar>& list) {
  const auto conv = [&](const std::string& name, Shape input, Conv2d op) {
    op.weight_bits = 4;
    list.push_back(single("int4_" + name, input, op));
  };
  conv("conv_3x3", {4, 9, 7}, {6, square(3), square(1), pad_all(1), 1, true});
  conv("conv_odd", {3, 8, 5}, {7, square(3), square(2), pad_all(1)});
  conv("conv_1x1", {5, 6, 6}, {33, square(1), square(1), Pad{}, 1, true});
  conv("conv_groups", {6, 6, 6}, {9, square(3), square(1), pad_all(1), 3, true});
  conv("conv_pixel", {9, 1, 1}, {5, square(1), square(1), Pad{}});
  conv("depthwise", {6, 8, 8}, {6, square(3), square(1), pad_all(1), 6, true});
  conv("depthwise_odd", {37, 7, 8}, {37, square(3), square(2), pad_all(1), 37, true});
  conv("depthwise_multiplier", {3, 8, 8}, {9, Size{5, 3}, square(1), pad_all(1), 3});
  for (const int outputs : {6, 5})
    list.push_back(single("int4_linear_" + std::to_string(outputs), {19, 1, 1},
                          Linear{.out = outputs, .bias = true, .weight_bits = 4}));
}

// Chains whose peak is a depthwise step, so that their memory plans write over what is read.
void add_depthwise(std::vector<Exemplar>& list) {
  const auto chain = [&](const std::string& name, Shape input, std::vector<Conv2d> convs) {
    list.push_back(make(name, input, [&](Builder& b, int x) {
      for (size_t i = 0; i < convs.size(); ++i) x = b.add("d" + std::to_string(i), convs[i], {x});
    }));
  };
  const auto conv = [](int channels, int kernel, int stride) {
    return Conv2d{channels, square(kernel), square(stride), pad_all(kernel / 2), channels, true};
  };
  chain("depthwise_chain", {6, 11, 9}, {conv(6, 3, 1), conv(6, 3, 1), conv(6, 3, 1)});
  chain("depthwise_chain_strided", {7, 13, 10}, {conv(7, 3, 2), conv(7, 3, 1), conv(7, 5, 2)});
  chain("depthwise_chain_5x5", {5, 16, 15}, {conv(5, 5, 1), conv(5, 5, 2)});
  chain("depthwise_chain_7x7", {3, 17, 19}, {conv(3, 7, 1)});
  chain("depthwise_chain_wide", {37, 9, 8}, {conv(37, 3, 1)});  // more than a block of channels
  // As one framework pads strides of two: nothing before the map.
  chain("depthwise_after_only", {4, 12, 12}, {{4, square(3), square(2), Pad{0, 1, 0, 1}, 4, true}});
  list.push_back(make("depthwise_between_pointwise", {4, 12, 11}, [&](Builder& b, int x) {
    x = conv_bn_act(b, x, "up", {9, 1, 1, 1, ActivationKind::Relu6});
    x = conv_bn_act(b, x, "dw", {9, 3, 1, 9, ActivationKind::Silu});
    conv_bn_act(b, x, "down", {5, 1, 1, 1, std::nullopt});
  }));
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

void add_channel_operators(std::vector<Exemplar>& list) {
  const Shape map{6, 5, 4};
  const Conv2d spread{6, square(1), square(1), Pad{}, 1, true};
  list.push_back(single("prelu", map, PRelu{}));
  list.push_back(make("conv_bn_prelu", {3, 6, 5}, [](Builder& b, int x) {
    b.add("act", PRelu{}, {conv_bn_act(b, x, "c", {8, 3, 1, 1, std::nullopt})});
  }));
  list.push_back(make("prelu_vector", {7, 1, 1}, [](Builder& b, int x) {
    b.add("act", PRelu{}, {b.add("fc", Linear{5, true}, {x})});
  }));
  list.push_back(single("scale", map, Scale{}));
  list.push_back(make("conv_scale", map, [&](Builder& b, int x) { b.add("op", Scale{}, {b.add("c", spread, {x})}); }));
  list.push_back(single("slice", {9, 4, 5}, Slice{3, 4}));
  list.push_back(single("slice_first", {9, 4, 5}, Slice{0, 1}));
  list.push_back(single("slice_all", {9, 4, 5}, Slice{0, 9}));
  list.push_back(single("shuffle_2", {8, 3, 5}, ChannelShuffle{2}));
  list.push_back(single("shuffle_3", {12, 3, 5}, ChannelShuffle{3}));
  list.push_back(single("shuffle_each", {5, 3, 5}, ChannelShuffle{5}));
}

void add_resampling(std::vector<Exemplar>& list) {
  for (const int taps : {3, 5}) {
    for (const int stride : {1, 2}) {
      const std::string name = "blur_pool_" + std::to_string(taps) + "_s" + std::to_string(stride);
      list.push_back(single(name, {5, 9, 8}, BlurPool{taps, square(stride)}));
    }
  }
  list.push_back(single("blur_pool_smallest", {3, 2, 3}, BlurPool{3, square(1)}));
  list.push_back(single("blur_pool_smallest_5", {3, 3, 4}, BlurPool{5, square(2)}));
  list.push_back(single("blur_pool_asymmetric", {34, 7, 9}, BlurPool{3, Size{3, 2}}));  // more than a block of channels
  list.push_back(single("upsample_twice", {4, 5, 3}, Upsample{Size{10, 6}}));
  list.push_back(single("upsample_odd", {4, 5, 3}, Upsample{Size{7, 8}}));
  list.push_back(single("upsample_pixel", {4, 1, 1}, Upsample{Size{5, 3}}));
  list.push_back(single("upsample_row", {4, 3, 6}, Upsample{Size{11, 6}}));
  list.push_back(make("upsample_after_pool", {4, 9, 7}, [](Builder& b, int x) {  // condense and expand
    const int c = b.add("c", Conv2d{4, square(3), square(1), pad_all(1), 4}, {x});
    const int pooled = b.add("pool", MaxPool{square(2), square(2), Pad{}}, {c});
    b.add("sum", Add{}, {b.add("up", Upsample{Size{9, 7}}, {pooled}), c});
  }));
}

void add_concats(std::vector<Exemplar>& list) {
  const Shape map{6, 5, 4};
  const auto spread = [](int out) { return Conv2d{out, square(1), square(1), Pad{}, 1, true}; };
  list.push_back(make("concat", map, [&](Builder& b, int x) {
    b.add("op", Concat{}, {b.add("left", spread(4), {x}), b.add("right", spread(3), {x})});
  }));
  list.push_back(make("concat_3", map, [&](Builder& b, int x) {
    const int left = b.add("left", spread(1), {x});
    b.add("op", Concat{}, {left, x, b.add("right", spread(5), {x})});
  }));
  list.push_back(make("concat_8", map, [&](Builder& b, int x) {
    Inputs parts;
    for (int k = 0; k < kMaxInputs; ++k) parts.push_back(b.add("c" + std::to_string(k), spread(1 + k % 3), {x}));
    b.add("op", Concat{}, parts);
  }));
  // One scale for all inputs: int8 copies.
  list.push_back(make("concat_equal", map, [](Builder& b, int x) {
    const int pooled = b.add("pool", MaxPool{square(3), square(1), pad_all(1)}, {x});
    b.add("op", Concat{}, {x, pooled, b.add("part", Slice{2, 3}, {x})});
  }));
  list.push_back(make("concat_itself", map, [&](Builder& b, int x) {
    const int c = b.add("c", spread(3), {x});
    b.add("op", Concat{}, {c, c});
  }));
  list.push_back(make("concat_bn", map, [](Builder& b, int x) {  // batch norm that no single convolution can take
    const int left = conv_bn_act(b, x, "left", {4, 3, 1, 1, ActivationKind::Silu});
    const int right = b.add("right", BlurPool{3, square(1)}, {x});
    b.add("bn", BatchNorm{}, {b.add("cat", Concat{}, {left, right})});
  }));
  list.push_back(make("shuffle_unit", {8, 5, 6}, [](Builder& b, int x) {  // ShuffleNet V2's basic unit
    const int kept = b.add("kept", Slice{0, 4}, {x});
    int y = b.add("rest", Slice{4, 4}, {x});
    y = conv_bn_act(b, y, "c1", {4, 1, 1, 1, ActivationKind::Relu});
    y = conv_bn_act(b, y, "c2", {4, 3, 1, 4, std::nullopt});
    y = b.add("cat", Concat{}, {kept, y});
    b.add("shuffle", ChannelShuffle{2}, {y});
  }));
}

void add_products(std::vector<Exemplar>& list) {
  const Shape map{6, 5, 4};
  const Conv2d spread{6, square(1), square(1), Pad{}, 1, true};
  const Conv2d grouped{6, square(3), square(1), pad_all(1), 2};
  const auto squeeze = [](Builder& b, int x) {
    const int mean = b.add("squeeze", GlobalAvgPool{}, {x});
    const int hidden = b.add("fc1_act", Activation{ActivationKind::Relu}, {b.add("fc1", Linear{3, true}, {mean})});
    return b.add("gate", Activation{ActivationKind::HardSigmoid}, {b.add("fc2", Linear{6, true}, {hidden})});
  };
  list.push_back(make("squeeze_excite", map, [&](Builder& b, int x) {
    const int c = b.add("c", grouped, {x});
    b.add("op", Mul{}, {c, squeeze(b, c)});
  }));
  list.push_back(make("squeeze_excite_swapped", map, [&](Builder& b, int x) {
    const int c = b.add("c", spread, {x});  // a hash sees no order in a product
    b.add("op", Mul{}, {squeeze(b, c), c});
  }));
  list.push_back(make("mul_itself", map, [&](Builder& b, int x) {
    const int c = b.add("c", spread, {x});
    b.add("op", Mul{}, {c, c});
  }));
  list.push_back(make("add_bn_itself", map, [](Builder& b, int x) {  // batch statistics count once
    const int c = conv_bn_act(b, x, "c", {6, 3, 1, 1, std::nullopt});
    b.add("act", Activation{ActivationKind::Silu}, {b.add("op", Add{}, {c, c})});
  }));
  list.push_back(make("softmax_squared", map, [](Builder& b, int x) {
    const int attention = b.add("softmax", Softmax{}, {conv_bn_act(b, x, "c", {6, 3, 1, 1, std::nullopt})});
    b.add("op", Mul{}, {attention, attention});
  }));
  list.push_back(make("mul_vectors", {6, 1, 1}, [&](Builder& b, int x) {
    b.add("op", Mul{}, {b.add("left", spread, {x}), b.add("right", spread, {x})});
  }));
  list.push_back(make("mul_bn", map, [](Builder& b, int x) {  // both sides normalized: never a softmax gate
    const int left = conv_bn_act(b, x, "left", {6, 3, 1, 1, std::nullopt});
    b.add("act", Activation{ActivationKind::Silu}, {b.add("op", Mul{}, {left, b.add("bn", BatchNorm{}, {x})})});
  }));
  // A softmax over channels of one pixel that multiplies a map: no softmax_mul, and no int8 form.
  list.push_back(make("softmax_broadcast", map, [](Builder& b, int x) {
    const int value = conv_bn_act(b, x, "value", {6, 3, 1, 1, std::nullopt});
    const int mean = b.add("bn", BatchNorm{}, {b.add("mean", GlobalAvgPool{}, {x})});
    b.add("op", Mul{}, {b.add("softmax", Softmax{}, {mean}), value});
  }));
  // The value is one pixel and the attention a map; both are normalized.
  list.push_back(make("softmax_map_broadcast", map, [](Builder& b, int x) {
    const int attention = conv_bn_act(b, x, "attention", {6, 3, 1, 1, std::nullopt});
    const int mean = b.add("bn", BatchNorm{}, {b.add("mean", GlobalAvgPool{}, {x})});
    b.add("op", Mul{}, {b.add("softmax", Softmax{}, {attention}), mean});
  }));
}

// Softmax over either axis, with and without rescaling: alone, as the operator that lower() makes, and as a gate behind
// batch norms and before an activation, where training has steps of its own.
void add_softmaxes(std::vector<Exemplar>& list) {
  const Shape map{6, 5, 4};
  const Conv2d spread{6, square(1), square(1), Pad{}, 1, true};
  for (const SoftmaxAxis axis : {SoftmaxAxis::Channels, SoftmaxAxis::Space}) {
    for (const bool rescale : {false, true}) {
      if (axis == SoftmaxAxis::Channels && !rescale) continue;  // as "softmax" and its neighbours
      const std::string suffix = std::string("_") + to_string(axis) + (rescale ? "_rescaled" : "");
      list.push_back(single("softmax" + suffix, map, Softmax{axis, rescale}));
      list.push_back(make("softmax_mul" + suffix, map, [&](Builder& b, int x) {
        b.add("op", SoftmaxMul{axis, rescale}, {b.add("left", spread, {x}), b.add("right", spread, {x})});
      }));
      list.push_back(make("softmax_gate" + suffix, map, [&](Builder& b, int x) {
        const int attention = conv_bn_act(b, x, "attention", {6, 3, 1, 2, std::nullopt});
        const int value = conv_bn_act(b, x, "value", {6, 1, 1, 1, std::nullopt});
        const int gate = b.add("softmax", Softmax{axis, rescale}, {attention});
        b.add("act", Activation{ActivationKind::Silu}, {b.add("op", Mul{}, {gate, value})});
      }));
    }
  }
  list.push_back(make("softmax_mul_space_wide", {40, 9, 11}, [](Builder& b, int x) {  // more than a block of channels
    b.add("op", SoftmaxMul{SoftmaxAxis::Space, true}, {b.add("pool", BlurPool{5, square(1)}, {x}), x});
  }));
}

void add_condensers(std::vector<Exemplar>& list) {
  const auto condenser = [&](const std::string& name, Shape input, const AttentionCondenserOptions& o) {
    list.push_back(
        make("attention_condenser_" + name, input, [&](Builder& b, int x) { attention_condenser(b, x, "ac", o); }));
  };
  AttentionCondenserOptions o;
  o.embedding = {{12, 4}, {8, 6}};
  o.groups = 2;
  condenser("additive", {6, 8, 8}, o);
  o.form = SelectiveForm::Gated;
  o.condensation = Condensation::Avg;
  condenser("gated", {6, 9, 7}, o);
  o.mix = 4;
  o.embedding = {{4, 4}};
  o.groups = 0;
  o.window = 3;
  condenser("visual", {6, 9, 10}, o);
  o = {.embedding = {{12, 6}}, .kernel = 1, .batch_norm = false};
  condenser("bare", {6, 5, 4}, o);
  o.bias = true;
  condenser("bias", {6, 5, 4}, o);
  list.push_back(make("condenser_space", {8, 9, 7}, [](Builder& b, int v) {  // attention over space, mean 1
    const int q = b.add("condense", AvgPool{square(2), square(2), Pad{}, false}, {v});
    const int k = b.add("embed", Conv2d{8, square(3), square(1), pad_all(1), 2}, {q});
    const int a = b.add("softmax", Softmax{SoftmaxAxis::Space, true}, {b.add("expand", Upsample{Size{9, 7}}, {k})});
    b.add("act", PRelu{}, {b.add("op", Mul{}, {a, v})});
  }));
  list.push_back(make("block_pepe", {6, 9, 8}, [](Builder& b, int x) { pepe(b, x, "p", {4, 8, 10, 2}); }));
  const auto column = [&](const std::string& name, ColumnOptions options) {
    list.push_back(
        make("double_condenser_" + name, {8, 9, 8}, [&](Builder& b, int x) { double_condenser(b, x, "d", options); }));
  };
  column("same_shape", {.channels = 8, .columns = 2});
  column("one_spatial", {.channels = 12, .columns = 4, .stride = 2, .spatial = 1});
  column("space", {.channels = 12, .columns = 4, .stride = 2, .axis = SoftmaxAxis::Space});
  column("normalized", {.channels = 12, .columns = 4, .stride = 2, .normalize = true});
  column("rescaled", {.channels = 12, .columns = 4, .stride = 2, .bottleneck = true, .rescale = true});
  for (Downsampling kind : kDownsamplings) {
    list.push_back(make(std::string("downsampling_") + to_string(kind), {4, 10, 9},
                        [&](Builder& b, int x) { conv_bn_act(b, antialias_pool(b, x, "pool", kind), "c", {6}); }));
  }
  list.push_back(make("parallel_columns", {8, 6, 5}, [](Builder& b, int x) {
    x = parallel_columns(b, x, "p", {{4, 1, 3}, {6, 2, 5}}, ActivationKind::Silu);
    mix_columns(b, x, "mix", ColumnMixing::Shuffle, 2, ActivationKind::Silu);
  }));
  list.push_back(make("mixed_columns", {8, 6, 5}, [](Builder& b, int x) {
    x = parallel_columns(b, x, "p", {{4}, {4}, {4}, {4}}, ActivationKind::Relu);
    mix_columns(b, x, "mix", ColumnMixing::Pointwise, 4, ActivationKind::Relu);
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
  list.push_back(make("peer_squeeze_excite", map, [](Builder& b, int x) {
    inverted_residual(b, x, "b1", {.expanded = 16, .out = 8, .squeeze = SqueezeExcite{.reduced = 4}});
  }));
  list.push_back(make("peer_shufflenet", map, [](Builder& b, int x) { shufflenet_v2_unit(b, x, "b1", 8, 1); }));
  list.push_back(
      make("peer_shufflenet_strided", map, [](Builder& b, int x) { shufflenet_v2_unit(b, x, "b1", 12, 2); }));
  list.push_back(make("peer_ghost", map, [](Builder& b, int x) {
    ghost_bottleneck(b, x, "b1", {.expanded = 16, .out = 12, .stride = 2, .squeeze = 4});
  }));
}

// Sums of branches that lower() makes one convolution of: with an identity when stride and channels stay, without it
// otherwise.
void add_branches(std::vector<Exemplar>& list) {
  const auto unit = [&](const std::string& name, const MobileOneUnit& o, int branches) {
    list.push_back(
        make("branches_" + name, {8, 7, 6}, [&](Builder& b, int x) { mobileone_train_unit(b, x, "b1", o, branches); }));
  };
  unit("depthwise", {8, 3, 1, 8}, 1);
  unit("depthwise_strided", {8, 3, 2, 8}, 3);
  unit("depthwise_multiplier", {16, 3, 1, 8}, 2);
  unit("pointwise", {8, 1, 1, 1}, 2);
  unit("pointwise_wider", {12, 1, 1, 1}, 2);
  unit("dense", {8, 3, 1, 1}, 1);
  unit("dense_strided", {12, 3, 2, 1}, 2);
  unit("grouped_5x5", {8, 5, 1, 2}, 1);
  list.push_back(make("branches_identities", {6, 5, 4}, [](Builder& b, int x) {
    b.add("sum", Add{}, {b.add("left", BatchNorm{}, {x}), b.add("right", BatchNorm{1e-3, 0.01}, {x})});
  }));
  list.push_back(make("branches_shortcut", {6, 5, 4}, [](Builder& b, int x) {  // the bare shortcut stays outside
    const int sum =
        b.add("sum", Add{},
              {conv_bn_act(b, x, "c", {6, 3, 1, 1, std::nullopt}), conv_bn_act(b, x, "d", {6, 1, 1, 1, std::nullopt})});
    b.add("act", Activation{ActivationKind::Silu}, {b.add("add", Add{}, {x, sum})});
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

// Outputs that lower() must neither swallow nor overwrite.
void add_outputs(std::vector<Exemplar>& list) {
  const Shape map{6, 8, 8};
  const auto with_outputs = [&](const std::string& name, const Build& build, const std::vector<std::string>& names) {
    Exemplar e = make(name, map, build);
    std::vector<int> ids;
    for (const std::string& node : names) ids.push_back(find_node(e.spec, node));
    set_outputs(e.spec, ids);
    list.push_back(std::move(e));
  };
  with_outputs("output_before_the_end",
               [](Builder& b, int x) {
                 x = conv_bn_act(b, x, "c", {8, 3, 1, 1, ActivationKind::Relu});
                 const int kept = b.add("kept", Conv2d{4, square(1), square(1), Pad{}, 1, true}, {x});
                 b.add("dead", Activation{ActivationKind::Silu}, {kept});
               },
               {"kept"});
  with_outputs("output_two_heads",
               [](Builder& b, int x) {
                 x = conv_bn_act(b, x, "c", {8, 3, 1, 1, ActivationKind::Silu});
                 b.add("map", Conv2d{3, square(1), square(1), Pad{}, 1, true}, {x});
                 classifier_head(b, x, 5);
               },
               {"fc", "map"});
  with_outputs("output_inside_a_chain",  // each is read, by what would have swallowed it
               [](Builder& b, int x) {
                 x = b.add("c", Conv2d{6, square(3), square(1), pad_all(1)}, {x});
                 x = b.add("bn", BatchNorm{}, {x});
                 x = b.add("act", Activation{ActivationKind::Relu}, {x});
                 b.add("silu", Activation{ActivationKind::Silu}, {x});
               },
               {"c", "bn", "act", "silu"});
  with_outputs("output_read_in_place",  // the sum may not overwrite what it reads
               [](Builder& b, int x) {
                 const int left = b.add("left", Conv2d{6, square(3), square(1), pad_all(1), 6, true}, {x});
                 const int sum = b.add("sum", Add{}, {left, x});
                 b.add("depthwise", Conv2d{6, square(3), square(1), pad_all(1), 6, true}, {sum});
               },
               {"left", "sum", "depthwise"});
  with_outputs("output_of_branches",
               [](Builder& b, int x) {
                 const int conv = b.add("conv", Conv2d{6, square(3), square(1), pad_all(1)}, {x});
                 const int left = b.add("left", BatchNorm{}, {conv});
                 const int right = b.add("right", BatchNorm{}, {x});
                 const int sum = b.add("sum", Add{}, {left, right});
                 b.add("act", Activation{ActivationKind::Relu}, {sum});
               },
               {"left", "act"});
}

std::vector<Exemplar> make_all() {
  std::vector<Exemplar> list;
  add_convolutions(list);
  add_four_bits(list);
  add_depthwise(list);
  add_activations(list);
  add_pools(list);
  add_merges(list);
  add_others(list);
  add_channel_operators(list);
  add_resampling(list);
  add_concats(list);
  add_products(list);
  add_softmaxes(list);
  add_condensers(list);
  add_blocks(list);
  add_peer_blocks(list);
  add_branches(list);
  add_outputs(list);
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
