// Composite blocks out of primitives, through a Builder. Which blocks make a network is in zoo/ and in search spaces.

#include "condenser/arch/blocks.hpp"

namespace condenser::arch {
namespace {

// `what` is called only for the message of an error: blocks are made by the ten thousand.
template <class What>
void require(bool holds, const std::string& block, const What& what) {
  if (!holds) throw SpecError(block, what());
}

void check_options(const std::string& name, const ColumnOptions& o) {
  require(o.channels >= 1 && o.channels <= kMaxChannels / 2, name, [&] {
    return "channels = " + std::to_string(o.channels) + "; expected 1.." + std::to_string(kMaxChannels / 2);
  });
  require(o.columns >= 1 && o.channels % o.columns == 0, name, [&] {
    return "channels = " + std::to_string(o.channels) + ", columns = " + std::to_string(o.columns) +
           "; channels must be a multiple of columns";
  });
  require(o.kernel >= 1 && o.kernel <= kMaxWindow && o.kernel % 2 == 1, name, [&] {
    return "kernel = " + std::to_string(o.kernel) + "; expected an odd number, so that both paths keep one size";
  });
  require(o.stride == 1 || o.stride == 2, name,
          [&] { return "stride = " + std::to_string(o.stride) + "; expected 1 or 2"; });
  require(o.spatial == 1 || o.spatial == 2, name,
          [&] { return "spatial = " + std::to_string(o.spatial) + "; expected 1 or 2"; });
}

int activate(Builder& b, int x, std::string_view name, ActivationKind kind) {
  return b.add(name, Activation{kind}, {x});
}

// Main path of a column block; its last batch norm has no activation.
int main_path(Builder& b, int x, const ColumnOptions& o) {
  ConvOptions spatial{o.channels, o.kernel, 1, o.columns, o.activation};
  ConvOptions mixing{o.channels, 1, 1, 1, o.activation};
  if (!o.bottleneck) {
    if (o.stride == 2) x = antialias_pool(b, x, "pool", o.downsampling);
    if (o.spatial == 2) x = conv_bn_act(b, x, "c1", spatial);
    spatial.activation.reset();
    return conv_bn_act(b, x, "c2", spatial);
  }
  x = conv_bn_act(b, x, "c1", mixing);
  if (o.stride == 2) x = antialias_pool(b, x, "pool", o.downsampling);  // after the first 1x1, as published
  x = conv_bn_act(b, x, "c2", spatial);
  mixing.out = output_channels(o);
  mixing.activation.reset();
  return conv_bn_act(b, x, "c3", mixing);
}

int projection(Builder& b, int x, const ColumnOptions& o) {
  if (o.stride == 2) x = antialias_pool(b, x, "scpool", o.downsampling);
  return conv_bn_act(b, x, "sc", {output_channels(o), 1, 1, 1, std::nullopt});
}

int block(Builder& b, int x, const std::string& name, const ColumnOptions& o, bool project) {
  check_options(name, o);
  const Builder::Scope scope(b, name);
  const int main = main_path(b, x, o);
  const int shortcut = project ? projection(b, x, o) : x;
  if (project && o.attention) {
    const int attention = b.add("softmax", Softmax{o.axis, o.rescale}, {main});
    int product = b.add("mul", Mul{}, {attention, shortcut});
    if (o.normalize) product = b.add("norm", BatchNorm{}, {product});
    return activate(b, product, "act", o.activation);
  }
  return activate(b, b.add("add", Add{}, {main, shortcut}), "act", o.activation);
}

}  // namespace

int conv_bn_act(Builder& b, int x, std::string_view name, const ConvOptions& o) {
  const Conv2d conv{o.out, square(o.kernel), square(o.stride), pad_all((o.kernel - 1) / 2), o.groups};
  x = b.add(name, conv, {x});
  const Builder::Scope scope(b, name);
  x = b.add("bn", BatchNorm{}, {x});
  return o.activation ? activate(b, x, "act", *o.activation) : x;
}

const char* to_string(Downsampling kind) {
  switch (kind) {
    case Downsampling::Avg2: return "avg2";
    case Downsampling::Avg3: return "avg3";
    case Downsampling::Blur3: return "blur3";
    case Downsampling::Blur5: return "blur5";
    case Downsampling::MaxBlur3: return "max_blur3";
    case Downsampling::MaxBlur5: return "max_blur5";
    case Downsampling::Max2: return "max2";
  }
  return "unknown";
}

int antialias_pool(Builder& b, int x, std::string_view name, Downsampling kind) {
  const auto blur = [&](int from, int taps) { return b.add(name, BlurPool{taps, square(2)}, {from}); };
  const auto dense_max = [&] {
    const Builder::Scope scope(b, name);
    return b.add("max", MaxPool{square(2), square(1), Pad{}}, {x});
  };
  switch (kind) {
    case Downsampling::Avg2: return b.add(name, AvgPool{square(2), square(2), Pad{}, false}, {x});
    case Downsampling::Avg3: return b.add(name, AvgPool{square(3), square(2), pad_all(1), false}, {x});
    case Downsampling::Blur3: return blur(x, 3);
    case Downsampling::Blur5: return blur(x, 5);
    case Downsampling::MaxBlur3: return blur(dense_max(), 3);
    case Downsampling::MaxBlur5: return blur(dense_max(), 5);
    case Downsampling::Max2: return b.add(name, MaxPool{square(2), square(2), Pad{}}, {x});
  }
  throw SpecError(std::string(name), "down-sampling outside its enumeration");
}

int output_channels(const ColumnOptions& o) { return o.bottleneck ? 2 * o.channels : o.channels; }

int column_block(Builder& b, int x, const std::string& name, const ColumnOptions& o) {
  return block(b, x, name, o, o.stride != 1 || b.shape(x).c != output_channels(o));
}

int double_condenser(Builder& b, int x, const std::string& name, ColumnOptions o) {
  o.attention = true;
  return block(b, x, name, o, true);
}

int column_stage(Builder& b, int x, const std::string& name, int depth, const ColumnOptions& o) {
  require(depth >= 1 && depth <= 1000, name, [&] { return "depth = " + std::to_string(depth) + "; expected 1..1000"; });
  ColumnOptions block = o;
  for (int i = 1; i <= depth; ++i) {
    x = column_block(b, x, name + "b" + std::to_string(i), block);
    block.stride = 1;
  }
  return x;
}

int parallel_columns(Builder& b, int x, const std::string& name, const std::vector<Column>& columns,
                     ActivationKind activation) {
  const int count = static_cast<int>(columns.size()), channels = static_cast<int>(b.shape(x).c);
  require(count >= 2 && count <= kMaxInputs, name,
          [&] { return std::to_string(count) + " columns; expected 2.." + std::to_string(kMaxInputs); });
  require(channels % count == 0, name, [&] {
    return std::to_string(channels) + " channels for " + std::to_string(count) +
           " columns; channels must be a multiple of columns";
  });
  Inputs outputs;
  for (int i = 0; i < count; ++i) {
    const Column& column = columns[static_cast<size_t>(i)];
    require(column.depth >= 1 && column.depth <= 100 && column.kernel % 2 == 1, name, [&] {
      return "column " + std::to_string(i + 1) + " has depth " + std::to_string(column.depth) + ", kernel " +
             std::to_string(column.kernel) + "; expected depth 1..100 and an odd kernel";
    });
    const std::string number = std::to_string(i + 1);
    int y = b.add(name + "_in" + number, Slice{i * (channels / count), channels / count}, {x});
    for (int layer = 1; layer <= column.depth; ++layer)
      y = conv_bn_act(b, y, name + "_c" + number + "_" + std::to_string(layer),
                      {column.channels, column.kernel, 1, 1, activation});
    outputs.push_back(y);
  }
  return b.add(name, Concat{}, outputs);
}

const char* to_string(ColumnMixing mixing) { return mixing == ColumnMixing::Pointwise ? "pointwise" : "shuffle"; }

int mix_columns(Builder& b, int x, const std::string& name, ColumnMixing mixing, int columns,
                ActivationKind activation) {
  if (mixing == ColumnMixing::Shuffle) return b.add(name, ChannelShuffle{columns}, {x});
  return conv_bn_act(b, x, name, {static_cast<int>(b.shape(x).c), 1, 1, 1, activation});
}

int classifier_head(Builder& b, int x, int classes) {
  x = b.add("gap", GlobalAvgPool{}, {x});
  return b.add("fc", Linear{classes, true}, {x});
}

}  // namespace condenser::arch
