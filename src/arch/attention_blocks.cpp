// Attention condensers out of primitives. Networks made of them are in zoo/.

#include "condenser/arch/attention_blocks.hpp"

#include "condenser/arch/blocks.hpp"

namespace condenser::arch {
namespace {

void require(bool holds, const std::string& block, const std::string& what) {
  if (!holds) throw SpecError(block, what);
}

// Convolution with what follows it: batch norm, and the activation unless it is the last.
int convolve(Builder& b, int x, const std::string& name, Conv2d conv, const AttentionCondenserOptions& o, bool last) {
  conv.bias = o.bias && !o.batch_norm;
  x = b.add(name, conv, {x});
  if (o.batch_norm) x = b.add(name + "_bn", BatchNorm{}, {x});
  return o.activation && !last ? b.add(name + "_act", Activation{*o.activation}, {x}) : x;
}

Conv2d pointwise(int out) { return {.out = out, .kernel = square(1), .stride = square(1)}; }

int condense(Builder& b, int x, const AttentionCondenserOptions& o) {
  const Size window = square(o.window);
  if (o.condensation == Condensation::Max) return b.add("pool", MaxPool{window, window, Pad{}}, {x});
  return b.add("pool", AvgPool{window, window, Pad{}, false}, {x});
}

int embed(Builder& b, int x, const AttentionCondenserOptions& o) {
  for (size_t i = 0; i < o.embedding.size(); ++i) {
    const std::string name = "e" + std::to_string(i + 1);
    const int groups = o.groups > 0 ? o.groups : static_cast<int>(b.shape(x).c);
    const Conv2d spatial{o.embedding[i].spatial, square(o.kernel), square(1), pad_all((o.kernel - 1) / 2), groups};
    x = convolve(b, x, name + "_dw", spatial, o, false);
    x = convolve(b, x, name + "_pw", pointwise(o.embedding[i].pointwise), o, i + 1 == o.embedding.size() && o.mix == 0);
  }
  return x;
}

int select(Builder& b, int v, int a, SelectiveForm form) {
  if (form == SelectiveForm::Additive) return b.add("add", Add{}, {b.add("scale", Scale{}, {v}), a});
  const int gate = b.add("gate", Activation{ActivationKind::Sigmoid}, {a});
  const int gated = b.add("scale", Scale{}, {b.add("mul", Mul{}, {v, gate})});
  return b.add("add", Add{}, {gated, v});
}

}  // namespace

const char* to_string(Condensation c) { return c == Condensation::Max ? "max" : "avg"; }
const char* to_string(SelectiveForm f) { return f == SelectiveForm::Additive ? "additive" : "gated"; }

int attention_condenser(Builder& b, int v, const std::string& name, const AttentionCondenserOptions& o) {
  const Shape shape = b.shape(v);
  const int64_t last = o.mix > 0 ? shape.c : o.embedding.empty() ? 0 : o.embedding.back().pointwise;
  require(!o.embedding.empty(), name, "no embedding; expected one step or more");
  require(last == shape.c, name,
          "the embedding ends with " + std::to_string(last) + " channels; expected " + std::to_string(shape.c) +
              ", those of the input, or mix > 0");
  require(o.window >= 2 && o.window <= std::min(shape.h, shape.w), name,
          "condensation by " + std::to_string(o.window) + " of a map " + to_string(shape) +
              "; expected 2 or more, inside the map");
  require(o.kernel % 2 == 1, name, "kernel = " + std::to_string(o.kernel) + "; expected an odd number");
  const Builder::Scope scope(b, name);
  int a = o.mix > 0 ? convolve(b, v, "down", pointwise(o.mix), o, false) : v;
  a = embed(b, condense(b, a, o), o);
  if (o.mix > 0) a = convolve(b, a, "up", pointwise(static_cast<int>(shape.c)), o, true);
  a = b.add("expand", Upsample{{static_cast<int>(shape.h), static_cast<int>(shape.w)}}, {a});
  return select(b, v, a, o.form);
}

int pepe(Builder& b, int x, const std::string& name, const PepeOptions& o) {
  require(o.narrow >= 1 && o.wide >= o.narrow && o.wide % o.narrow == 0, name,
          "narrow = " + std::to_string(o.narrow) + ", wide = " + std::to_string(o.wide) +
              "; wide must be a multiple of narrow");
  require(o.stride == 1 || o.stride == 2, name, "stride = " + std::to_string(o.stride) + "; expected 1 or 2");
  const Builder::Scope scope(b, name);
  x = conv_bn_act(b, x, "p1", {o.narrow, 1, 1, 1, o.activation});
  if (o.stride == 2) x = antialias_pool(b, x, "pool");
  x = conv_bn_act(b, x, "e1", {o.wide, 3, 1, o.narrow, o.activation});
  x = conv_bn_act(b, x, "p2", {o.narrow, 1, 1, 1, o.activation});
  return conv_bn_act(b, x, "e2", {o.out, 1, 1, 1, o.activation});
}

}  // namespace condenser::arch
