// The peers' composite blocks out of primitives. Which blocks make a network is in zoo/.

#include "condenser/arch/peer_blocks.hpp"

#include <algorithm>
#include <vector>

namespace condenser::arch {
namespace {

constexpr auto kRelu = ActivationKind::Relu;

void require(bool holds, const std::string& block, const std::string& what) {
  if (!holds) throw SpecError(block, what);
}

std::string number(int64_t value) { return std::to_string(value); }

// Kernels are odd, so that both paths of a residual keep one size.
void check_window(const std::string& name, int kernel, int stride) {
  require(kernel >= 1 && kernel <= kMaxWindow && kernel % 2 == 1, name,
          "kernel = " + number(kernel) + "; expected an odd number up to " + number(kMaxWindow));
  require(stride == 1 || stride == 2, name, "stride = " + number(stride) + "; expected 1 or 2");
}

void check_channels(const std::string& name, const char* what, int channels) {
  require(channels >= 1 && channels <= kMaxChannels, name,
          std::string(what) + " = " + number(channels) + "; expected 1.." + number(kMaxChannels));
}

int channels_of(const Builder& b, int x) { return static_cast<int>(b.shape(x).c); }

int activate(Builder& b, int x, const std::string& name, ActivationKind kind) {
  return b.add(name, Activation{kind}, {x});
}

int same_before(int64_t total) { return static_cast<int>(total / 2); }
int same_after(int64_t total) { return static_cast<int>(total - total / 2); }

// Zeros that ceil(in / stride) windows need along one axis.
int64_t same_total(int64_t in, int kernel, int stride) {
  const int64_t outputs = (in + stride - 1) / stride;
  return std::max<int64_t>((outputs - 1) * stride + kernel - in, 0);
}

int dense_1x1(Builder& b, int x, const std::string& name, int out, std::optional<ActivationKind> activation,
              const ConvStyle& style = {}) {
  return peer_conv(b, x, name, {.out = out, .activation = activation}, style);
}

int resnet_merge(Builder& b, int x, int main, const ResnetUnit& o, const ConvStyle& style) {
  int shortcut = x;
  if (o.stride != 1 || b.shape(x).c != b.shape(main).c) {
    Conv2d conv{channels_of(b, main), square(1), square(o.stride)};
    conv.bias = style.bias;
    shortcut = b.add("sc", conv, {x});
    if (o.projection_norm) shortcut = b.add("sc_bn", style.norm, {shortcut});
  }
  return activate(b, b.add("add", Add{}, {main, shortcut}), "act", kRelu);
}

void check_resnet(const std::string& name, const ResnetUnit& o) {
  check_channels(name, "channels", o.channels);
  check_window(name, 3, o.stride);
}

// 1x1 -> 3x3/s depthwise -> 1x1, the computed branch of a ShuffleNetV2 unit.
int shuffle_branch(Builder& b, int x, int out, int stride) {
  x = dense_1x1(b, x, "c1", out, kRelu);
  x = depthwise_conv(b, x, "c2", 3, stride, std::nullopt);
  return dense_1x1(b, x, "c3", out, kRelu);
}

int ghost_shortcut(Builder& b, int x, const GhostBottleneck& o) {
  if (o.stride == 1 && b.shape(x).c == o.out) return x;
  x = depthwise_conv(b, x, "scdw", o.kernel, o.stride, std::nullopt);
  return dense_1x1(b, x, "sc", o.out, std::nullopt);
}

void check_mobileone(const std::string& name, const MobileOneUnit& o) {
  check_channels(name, "out", o.out);
  check_window(name, o.kernel, o.stride);
}

}  // namespace

Pad same_pad(const Shape& in, Size kernel, Size stride) {
  const int64_t rows = same_total(in.h, kernel.h, stride.h), columns = same_total(in.w, kernel.w, stride.w);
  return {same_before(rows), same_after(rows), same_before(columns), same_after(columns)};
}

int peer_conv(Builder& b, int x, const std::string& name, const PeerConv& o, const ConvStyle& style) {
  Conv2d conv{o.out, o.kernel, square(o.stride), {}, o.groups, style.bias};
  const int rows = (o.kernel.h - 1) / 2, columns = (o.kernel.w - 1) / 2;
  conv.pad = style.same_padding ? same_pad(b.shape(x), conv.kernel, conv.stride) : Pad{rows, rows, columns, columns};
  x = b.add(name, conv, {x});
  x = b.add(name + "_bn", style.norm, {x});
  return o.activation ? activate(b, x, name + "_act", *o.activation) : x;
}

int depthwise_conv(Builder& b, int x, const std::string& name, int kernel, int stride,
                   std::optional<ActivationKind> activation, const ConvStyle& style) {
  const int channels = channels_of(b, x);
  return peer_conv(b, x, name, {channels, square(kernel), stride, channels, activation}, style);
}

int round_channels(double value, int divisor) {
  const int nearest = static_cast<int>(value + divisor / 2.0) / divisor * divisor;
  const int rounded = std::max(divisor, nearest);
  return rounded < 0.9 * value ? rounded + divisor : rounded;
}

int squeeze_excite(Builder& b, int x, const std::string& name, const SqueezeExcite& o) {
  check_channels(name, "reduced", o.reduced);
  const Builder::Scope scope(b, name);
  Conv2d conv{o.reduced, square(1), square(1)};
  conv.bias = true;
  int gate = b.add("pool", GlobalAvgPool{}, {x});
  gate = activate(b, b.add("reduce", conv, {gate}), "act", o.activation);
  conv.out = channels_of(b, x);
  gate = activate(b, b.add("expand", conv, {gate}), "gate", o.gate);
  return b.add("mul", Mul{}, {x, gate});
}

int depthwise_separable(Builder& b, int x, const std::string& name, const DepthwiseSeparable& o,
                        const ConvStyle& style) {
  check_channels(name, "out", o.out);
  check_window(name, o.kernel, o.stride);
  const Builder::Scope scope(b, name);
  x = depthwise_conv(b, x, "dw", o.kernel, o.stride, o.activation, style);
  return dense_1x1(b, x, "pw", o.out, o.activation, style);
}

int inverted_residual(Builder& b, int x, const std::string& name, const InvertedResidual& o, const ConvStyle& style) {
  check_channels(name, "expanded", o.expanded);
  check_channels(name, "out", o.out);
  check_window(name, o.kernel, o.stride);
  const Builder::Scope scope(b, name);
  int main = x;
  if (o.expanded != b.shape(x).c) main = dense_1x1(b, main, "pw", o.expanded, o.activation, style);
  main = depthwise_conv(b, main, "dw", o.kernel, o.stride, o.activation, style);
  if (o.squeeze) main = squeeze_excite(b, main, "se", *o.squeeze);
  main = dense_1x1(b, main, "pwl", o.out, std::nullopt, style);
  const bool residual = o.stride == 1 && b.shape(x).c == o.out;
  return residual ? b.add("add", Add{}, {main, x}) : main;
}

int fbnet_unit(Builder& b, int x, const std::string& name, const FbnetUnit& o) {
  require(o.expansion >= 1 && b.shape(x).c <= kMaxChannels / o.expansion, name,
          "expansion = " + number(o.expansion) + " of " + number(b.shape(x).c) + " channels; expected 1.." +
              number(kMaxChannels) + " channels");
  InvertedResidual unit;
  unit.expanded = o.expansion * channels_of(b, x);
  unit.out = o.out;
  unit.kernel = o.kernel;
  unit.stride = o.stride;
  unit.activation = kRelu;
  return inverted_residual(b, x, name, unit);
}

int resnet_basic(Builder& b, int x, const std::string& name, const ResnetUnit& o, const ConvStyle& style) {
  check_resnet(name, o);
  const Builder::Scope scope(b, name);
  int main = peer_conv(b, x, "c1", {o.channels, square(3), o.stride, 1, kRelu}, style);
  main = peer_conv(b, main, "c2", {o.channels, square(3), 1, 1, std::nullopt}, style);
  return resnet_merge(b, x, main, o, style);
}

int resnet_bottleneck(Builder& b, int x, const std::string& name, const ResnetUnit& o, const ConvStyle& style) {
  check_resnet(name, o);
  require(o.channels <= kMaxChannels / 4, name, "channels = " + number(o.channels) + "; a bottleneck gives 4 times");
  const Builder::Scope scope(b, name);
  int main = dense_1x1(b, x, "c1", o.channels, kRelu, style);
  main = peer_conv(b, main, "c2", {o.channels, square(3), o.stride, 1, kRelu}, style);
  main = dense_1x1(b, main, "c3", 4 * o.channels, std::nullopt, style);
  return resnet_merge(b, x, main, o, style);
}

int shufflenet_v2_unit(Builder& b, int x, const std::string& name, int out, int stride) {
  check_window(name, 3, stride);
  const int in = channels_of(b, x), half = out / 2;
  require(out >= 2 && out % 2 == 0, name, "out = " + number(out) + "; expected an even number");
  require(stride == 2 || in == out, name,
          "out = " + number(out) + " of " + number(in) + " channels at stride 1; expected as many");
  const Builder::Scope scope(b, name);
  int kept = x, computed = x;
  if (stride == 1) {
    kept = b.add("left", Slice{0, half}, {x});
    computed = b.add("right", Slice{half, half}, {x});
  } else {
    kept = depthwise_conv(b, x, "scdw", 3, stride, std::nullopt);
    kept = dense_1x1(b, kept, "sc", half, kRelu);
  }
  computed = shuffle_branch(b, computed, half, stride);
  return b.add("shuffle", ChannelShuffle{2}, {b.add("concat", Concat{}, {kept, computed})});
}

int ghost_module(Builder& b, int x, const std::string& name, const GhostModule& o) {
  check_channels(name, "out", o.out);
  check_window(name, o.kernel, 1);
  check_window(name, o.cheap_kernel, 1);
  require(o.ratio >= 2 && o.ratio <= o.out, name, "ratio = " + number(o.ratio) + "; expected 2..out");
  const Builder::Scope scope(b, name);
  const auto activation = o.relu ? std::optional(kRelu) : std::nullopt;
  const int primary = (o.out + o.ratio - 1) / o.ratio;
  const int p = peer_conv(b, x, "primary", {primary, square(o.kernel), 1, 1, activation});
  const int g = peer_conv(b, p, "cheap", {primary * (o.ratio - 1), square(o.cheap_kernel), 1, primary, activation});
  const int all = b.add("concat", Concat{}, {p, g});
  return b.shape(all).c == o.out ? all : b.add("slice", Slice{0, o.out}, {all});
}

int ghost_bottleneck(Builder& b, int x, const std::string& name, const GhostBottleneck& o) {
  check_window(name, o.kernel, o.stride);
  const Builder::Scope scope(b, name);
  int main = ghost_module(b, x, "ghost1", {.out = o.expanded});
  if (o.stride == 2) main = depthwise_conv(b, main, "dw", o.kernel, o.stride, std::nullopt);
  if (o.squeeze > 0) main = squeeze_excite(b, main, "se", {.reduced = o.squeeze});
  main = ghost_module(b, main, "ghost2", {.out = o.out, .relu = false});
  return b.add("add", Add{}, {main, ghost_shortcut(b, x, o)});
}

int mobileone_unit(Builder& b, int x, const std::string& name, const MobileOneUnit& o) {
  check_mobileone(name, o);
  Conv2d conv{o.out, square(o.kernel), square(o.stride), pad_all((o.kernel - 1) / 2), o.groups, true};
  return activate(b, b.add(name, conv, {x}), name + "_act", kRelu);
}

int mobileone_train_unit(Builder& b, int x, const std::string& name, const MobileOneUnit& o, int branches) {
  check_mobileone(name, o);
  require(branches >= 1 && branches <= 100, name, "branches = " + number(branches) + "; expected 1..100");
  const Builder::Scope scope(b, name);
  std::vector<int> terms;
  for (int i = 1; i <= branches; ++i)
    terms.push_back(peer_conv(b, x, "conv" + number(i), {o.out, square(o.kernel), o.stride, o.groups, std::nullopt}));
  if (o.kernel > 1) terms.push_back(peer_conv(b, x, "scale", {o.out, square(1), o.stride, o.groups, std::nullopt}));
  if (o.stride == 1 && b.shape(x).c == o.out) terms.push_back(b.add("identity", BatchNorm{}, {x}));
  int sum = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) sum = b.add("add" + std::to_string(i), Add{}, {sum, terms[i]});
  return activate(b, sum, "act", kRelu);
}

}  // namespace condenser::arch
