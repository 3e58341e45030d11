// Composite blocks out of primitives, through a Builder. Which blocks make a network is in zoo/ and in search spaces.

#include "condenser/arch/blocks.hpp"

namespace condenser::arch {
namespace {

void require(bool holds, const std::string& block, const std::string& what) {
  if (!holds) throw SpecError(block, what);
}

void check_options(const std::string& name, const ColumnOptions& o) {
  require(o.channels >= 1 && o.channels <= kMaxChannels / 2, name,
          "channels = " + std::to_string(o.channels) + "; expected 1.." + std::to_string(kMaxChannels / 2));
  require(o.columns >= 1 && o.channels % o.columns == 0, name,
          "channels = " + std::to_string(o.channels) + ", columns = " + std::to_string(o.columns) +
              "; channels must be a multiple of columns");
  require(o.kernel >= 1 && o.kernel <= kMaxWindow && o.kernel % 2 == 1, name,
          "kernel = " + std::to_string(o.kernel) + "; expected an odd number, so that both paths keep one size");
  require(o.stride == 1 || o.stride == 2, name, "stride = " + std::to_string(o.stride) + "; expected 1 or 2");
}

int activate(Builder& b, int x, const std::string& name, ActivationKind kind) {
  return b.add(name, Activation{kind}, {x});
}

// Main path of a column block; its last batch norm has no activation.
int main_path(Builder& b, int x, const ColumnOptions& o) {
  ConvOptions spatial{o.channels, o.kernel, 1, o.columns, o.activation};
  ConvOptions mixing{o.channels, 1, 1, 1, o.activation};
  if (!o.bottleneck) {
    if (o.stride == 2) x = antialias_pool(b, x, "pool");
    x = conv_bn_act(b, x, "c1", spatial);
    spatial.activation.reset();
    return conv_bn_act(b, x, "c2", spatial);
  }
  x = conv_bn_act(b, x, "c1", mixing);
  if (o.stride == 2) x = antialias_pool(b, x, "pool");  // after the first 1x1, as published
  x = conv_bn_act(b, x, "c2", spatial);
  mixing.out = output_channels(o);
  mixing.activation.reset();
  return conv_bn_act(b, x, "c3", mixing);
}

int projection(Builder& b, int x, const ColumnOptions& o) {
  if (o.stride == 2) x = antialias_pool(b, x, "scpool");
  return conv_bn_act(b, x, "sc", {output_channels(o), 1, 1, 1, std::nullopt});
}

}  // namespace

int conv_bn_act(Builder& b, int x, const std::string& name, const ConvOptions& o) {
  const Conv2d conv{o.out, square(o.kernel), square(o.stride), pad_all((o.kernel - 1) / 2), o.groups};
  x = b.add(name, conv, {x});
  x = b.add(name + "_bn", BatchNorm{}, {x});
  return o.activation ? activate(b, x, name + "_act", *o.activation) : x;
}

int antialias_pool(Builder& b, int x, const std::string& name) {
  return b.add(name, AvgPool{square(2), square(2), Pad{}, false}, {x});
}

int output_channels(const ColumnOptions& o) { return o.bottleneck ? 2 * o.channels : o.channels; }

int column_block(Builder& b, int x, const std::string& name, const ColumnOptions& o) {
  check_options(name, o);
  const Builder::Scope scope(b, name);
  const bool project = o.stride != 1 || b.shape(x).c != output_channels(o);
  const int main = main_path(b, x, o);
  const int shortcut = project ? projection(b, x, o) : x;
  if (project && o.attention) {
    const int attention = b.add("softmax", Softmax{}, {main});
    return activate(b, b.add("mul", Mul{}, {attention, shortcut}), "act", o.activation);
  }
  return activate(b, b.add("add", Add{}, {main, shortcut}), "act", o.activation);
}

int column_stage(Builder& b, int x, const std::string& name, int depth, const ColumnOptions& o) {
  require(depth >= 1 && depth <= 1000, name, "depth = " + std::to_string(depth) + "; expected 1..1000");
  ColumnOptions block = o;
  for (int i = 1; i <= depth; ++i) {
    x = column_block(b, x, name + "b" + std::to_string(i), block);
    block.stride = 1;
  }
  return x;
}

int classifier_head(Builder& b, int x, int classes) {
  x = b.add("gap", GlobalAvgPool{}, {x});
  return b.add("fc", Linear{classes, true}, {x});
}

}  // namespace condenser::arch
