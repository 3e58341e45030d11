#include "support/int16_networks.hpp"

#include <functional>

#include "condenser/arch/builder.hpp"
#include "condenser/arch/passes.hpp"

namespace condenser::testing {
namespace {

using namespace arch;

using Build = std::function<void(Builder&, int x)>;  // appends nodes to the input

Int16Network make(const std::string& name, Shape input, const Int16Words& words, const Build& build) {
  Builder b(name, input);
  build(b, b.input());
  Int16Network network{name, lower(b.finish(), nullptr), words, {}};
  network.nodes = int16_nodes(network.spec, analyze(network.spec), words);
  return network;
}

const Conv2d kPoint{6, square(1), square(1), Pad{}, 1, true};

int relu6(Builder& b, const std::string& name, int x) { return b.add(name, Activation{ActivationKind::Relu6}, {x}); }

void convolutions(Builder& b, int x) {
  x = relu6(b, "a_relu", b.add("a", Conv2d{6, square(3), square(1), pad_all(1), 1, true}, {x}));
  x = b.add("b", Conv2d{6, Size{3, 2}, Size{2, 1}, Pad{0, 2, 1, 0}, 6, true}, {x});
  x = b.add("c", Conv2d{9, square(3), square(1), pad_all(1), 3, true}, {x});
  x = b.add("d", kPoint, {x});
  b.add("e", Conv2d{5, square(5), square(2), pad_all(2)}, {x});
}

void sums(Builder& b, int x) {
  const int wide = b.add("wide", kPoint, {x}), narrow = b.add("narrow", kPoint, {x});
  const int sum = b.add("sum", Add{}, {wide, narrow});
  const int relu = relu6(b, "relu", b.add("both", Add{}, {sum, wide}));
  const int product = b.add("product", Mul{}, {narrow, relu});
  const int square = b.add("square", Mul{}, {relu, relu});
  b.add("last", Add{}, {b.add("small", Add{}, {product, relu}), square});
}

// Products of each pair of widths, with and without a clamp.
void attention(Builder& b, int x, SoftmaxAxis axis) {
  const auto part = [&](const std::string& name, int from, bool rescale) {
    const int soft = b.add(name + "_soft", Softmax{axis, rescale}, {b.add(name + "_attention", kPoint, {from})});
    return b.add(name, Mul{}, {soft, b.add(name + "_value", kPoint, {from})});
  };
  x = b.add("silu", Activation{ActivationKind::Silu}, {part("a", x, true)});
  x = relu6(b, "b_relu", part("b", x, false));
  const int soft = b.add("soft", Softmax{axis, true}, {b.add("attention", kPoint, {x})});
  b.add("narrow", Mul{}, {soft, x});
}

void functions(Builder& b, int x) {
  x = b.add("silu", Activation{ActivationKind::Silu}, {b.add("a", kPoint, {x})});
  x = b.add("swish", Activation{ActivationKind::HardSwish}, {x});
  x = b.add("scale", Scale{}, {x});
  b.add("tanh", Activation{ActivationKind::Tanh}, {x});
}

// The step from 16 bits to 8 is the peak: it writes over what it reads.
void narrowing(Builder& b, int x) {
  x = b.add("silu", Activation{ActivationKind::Silu}, {b.add("a", kPoint, {x})});
  b.add("last", Conv2d{1, square(1), square(1), Pad{}}, {x});
}

void pools(Builder& b, int x) {
  x = b.add("a", Conv2d{6, square(3), square(1), pad_all(1), 1, true}, {x});
  const int max = b.add("max", MaxPool{square(3), square(2), pad_all(1)}, {x});
  const int avg = b.add("avg", AvgPool{square(3), square(2), pad_all(1), false}, {x});
  const int padded = b.add("padded", AvgPool{square(3), square(1), pad_all(1), true}, {avg});
  const int gate = b.add("gate", Activation{ActivationKind::Sigmoid}, {b.add("mean", GlobalAvgPool{}, {padded})});
  x = b.add("gated", Mul{}, {max, gate});
  b.add("fc", Linear{7}, {b.add("mean2", GlobalAvgPool{}, {x})});
}

void linears(Builder& b, int x) {
  x = b.add("b", Linear{9}, {b.add("a", Linear{13}, {x})});
  b.add("c", Linear{5}, {x});
}

void moves(Builder& b, int x) {
  const int a = b.add("a", kPoint, {x});
  const int part = b.add("part", Slice{1, 3}, {a});
  const int large = b.add("large", Upsample{Size{7, 8}}, {part});
  const int same = b.add("same", Concat{}, {part, a});
  const int joined = b.add("joined", Concat{}, {same, x});
  b.add("narrow", Concat{}, {b.add("up", Upsample{Size{7, 8}}, {b.add("in", kPoint, {joined})}), large});
}

}  // namespace

const std::vector<Int16Network>& int16_networks() {
  static const std::vector<Int16Network> list = {
      make("convolutions", {4, 9, 7}, {"a", "b", "c", "d"}, convolutions),
      make("convolutions_alone", {4, 9, 7}, {"b"}, convolutions),
      make("sums", {3, 6, 5}, {"wide", "sum", "both", "square"}, sums),
      make("over_channels", {4, 7, 6}, {"a*", "silu", "b*", "-*attention"},
           [](Builder& b, int x) { attention(b, x, SoftmaxAxis::Channels); }),
      make("over_pixels", {4, 7, 6}, {"a_value", "silu", "b"},
           [](Builder& b, int x) { attention(b, x, SoftmaxAxis::Space); }),
      make("functions", {3, 6, 7}, {"a", "silu", "scale"}, functions),
      make("functions_from_8", {3, 6, 7}, {"silu", "swish"}, functions),
      make("narrowing", {2, 6, 7}, {"a"}, narrowing),
      make("pools", {5, 9, 8}, {"a"}, pools),
      make("linear", {11, 1, 1}, {"a", "b"}, linears),
      make("moves", {4, 5, 4}, {"a", "same", "joined"}, moves),
  };
  return list;
}

}  // namespace condenser::testing
