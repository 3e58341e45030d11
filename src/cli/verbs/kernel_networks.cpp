#include "cli/verbs/kernel_networks.hpp"

#include <algorithm>

#include "condenser/arch/builder.hpp"
#include "condenser/arch/kernels.hpp"

namespace condenser::cli {
namespace {

using namespace arch;

constexpr int kLayers = 14;
constexpr int64_t kMostValues = 9'000;    // of a tensor
constexpr int64_t kMostMacs = 250'000;    // of a layer
constexpr int64_t kMostWeights = 12'000;  // of a layer

struct Draw {
  Builder& net;
  core::Rng& rng;
  int at = 0;  // the node that layers are appended to
  int count = 0;
  int weight_bits = 8;  // of layers that are added

  Shape shape() const { return net.shape(at); }
  int below(int64_t n) { return static_cast<int>(rng.below(static_cast<uint64_t>(std::max<int64_t>(n, 1)))); }
  int from(int low, int64_t high) { return low + below(high - low + 1); }
  int add(Op op, const Inputs& inputs) {
    if (auto* conv = std::get_if<Conv2d>(&op)) conv->weight_bits = weight_bits;
    if (auto* linear = std::get_if<Linear>(&op)) linear->weight_bits = weight_bits;
    return net.add("n" + std::to_string(++count), op, inputs);
  }
  void append(const Op& op) { at = add(op, {at}); }
  // The same values in another scale.
  int changed() {
    if (below(2) == 0) return add(Activation{below(2) == 0 ? ActivationKind::Sigmoid : ActivationKind::Silu}, {at});
    return add(Conv2d{static_cast<int>(shape().c), square(1), square(1), {}, 1, true}, {at});
  }
};

struct Window {
  Size kernel, stride;
  Pad pad;
};

// Fits the input: with stride 1 mostly, and padding that keeps the extent or none.
Window window(Draw& d, const std::vector<Size>& kernels) {
  const Shape in = d.shape();
  Window w{kernels[static_cast<size_t>(d.below(std::ssize(kernels)))], square(d.below(3) == 0 ? 2 : 1), {}};
  const bool fits = w.kernel.h <= in.h && w.kernel.w <= in.w;
  if (!fits || d.below(4) != 0) {
    const int h = w.kernel.h / 2, width = w.kernel.w / 2;
    w.pad = {h, (w.kernel.h - 1) / 2, width, (w.kernel.w - 1) / 2};
  }
  return w;
}

// What kernels do on their way.
void clamp(Draw& d) {
  if (const int kind = d.below(3); kind > 0)
    d.append(Activation{kind == 1 ? ActivationKind::Relu : ActivationKind::Relu6});
}

void add_conv(Draw& d) {
  static const std::vector<Size> sizes = {square(1), square(1), square(1), square(3), square(3),
                                          square(3), square(5), {1, 3},    {3, 1},    square(2)};
  const Shape in = d.shape();
  const Window w = window(d, sizes);
  std::vector<int> divisors = {1, 1, 1};
  for (int g = 2; g < in.c; ++g)
    if (in.c % g == 0) divisors.push_back(g);
  const int groups = divisors[static_cast<size_t>(d.below(std::ssize(divisors)))];
  const int64_t depth = in.c / groups * w.kernel.h * w.kernel.w;
  const int64_t pixels = window_out(in.h, w.kernel.h, w.stride.h, w.pad.top, w.pad.bottom) *
                         window_out(in.w, w.kernel.w, w.stride.w, w.pad.left, w.pad.right);
  const int64_t most =
      std::min({kMostMacs / (depth * pixels), kMostWeights / depth, kMostValues / pixels, int64_t{64}});
  const int of_group = d.from(1, std::max<int64_t>(1, most / groups));
  d.append(Conv2d{groups * of_group, w.kernel, w.stride, w.pad, groups, d.below(2) == 0});
  clamp(d);
}

void add_depthwise(Draw& d) {
  static const std::vector<Size> sizes = {square(3), square(3), square(3), square(3), square(5), {1, 3},
                                          {3, 1},    square(2), square(7), {1, 9},    {9, 1}};
  const Shape in = d.shape();
  if (in.c == 1) return d.append(Conv2d{d.from(4, 24), square(1), square(1), {}, 1, true});
  const Window w = window(d, sizes);
  const int multiple = in.elements() < kMostValues / 2 && d.below(6) == 0 ? 2 : 1;
  d.append(Conv2d{static_cast<int>(in.c) * multiple, w.kernel, w.stride, w.pad, static_cast<int>(in.c), true});
  clamp(d);
}

void add_linear(Draw& d) {
  const Shape in = d.shape();
  if (in.h * in.w > 1) d.append(GlobalAvgPool{});
  d.append(Linear{d.from(1, std::min<int64_t>(200, 2 * kMostWeights / in.c)), true});
  clamp(d);
}

void add_softmax_mul(Draw& d) {
  const int softmax =
      d.add(Softmax{d.below(3) == 0 ? SoftmaxAxis::Space : SoftmaxAxis::Channels, d.below(2) == 0}, {d.at});
  d.at = d.add(Mul{}, {softmax, d.at});
}

void add_sum(Draw& d) {
  d.at = d.add(Add{}, {d.at, d.changed()});
  clamp(d);
}

void add_mul(Draw& d) {
  const int other = d.below(2) == 0 ? d.add(GlobalAvgPool{}, {d.at}) : d.changed();
  d.at = d.add(Mul{}, {d.at, other});
}

template <class Pool>
void add_pool(Draw& d) {
  const Shape in = d.shape();
  Window w = window(d, {square(2), square(3), square(3), {1, 2}, square(4)});
  if (w.kernel.h > in.h || w.kernel.w > in.w) return d.append(Activation{ActivationKind::Tanh});
  if (w.pad.top + w.pad.left > 0) w.pad = {w.kernel.h / 2, w.kernel.h / 2, w.kernel.w / 2, w.kernel.w / 2};
  if (w.kernel.h % 2 == 0 || w.kernel.w % 2 == 0) w.pad = {};
  Pool pool;
  pool.kernel = w.kernel;
  pool.stride = w.stride;
  pool.pad = w.pad;
  d.append(pool);
}

void add_global_pool(Draw& d) {
  const int pooled = d.add(GlobalAvgPool{}, {d.at});
  d.at = d.add(Mul{}, {d.at, pooled});
}

void add_blur(Draw& d) {
  const Shape in = d.shape();
  const int taps = d.below(3) == 0 ? 5 : 3;
  if (in.h <= taps / 2 || in.w <= taps / 2) return d.append(Activation{ActivationKind::Tanh});
  d.append(BlurPool{taps, square(d.from(1, 2))});
}

void add_upsample(Draw& d) {
  const Shape in = d.shape();
  const int h = static_cast<int>(in.h), w = static_cast<int>(in.w);
  const bool room = 4 * in.elements() < kMostValues;
  d.append(Upsample{{room ? d.from(h, 2 * h) : h, room ? d.from(w, 2 * w) : w}});
}

void add_concat(Draw& d) {
  const Shape in = d.shape();
  if (2 * in.elements() > kMostValues) return d.append(Slice{0, std::max(1, static_cast<int>(in.c) / 3)});
  d.at = d.add(Concat{}, {d.at, d.changed()});
}

void add_slice(Draw& d) {
  const int c = static_cast<int>(d.shape().c);
  const int begin = d.below(std::max(1, c / 6));
  d.append(Slice{begin, c - begin});
}

void add_shuffle(Draw& d) {
  std::vector<int> divisors;
  for (int g = 2; g < d.shape().c; ++g)
    if (d.shape().c % g == 0) divisors.push_back(g);
  if (divisors.empty()) return d.append(Conv2d{d.from(4, 24) * 2, square(1), square(1), {}, 1, true});
  d.append(ChannelShuffle{divisors[static_cast<size_t>(d.below(std::ssize(divisors)))]});
}

// Layers with weights of 4 bits.
template <void (*kAdd)(Draw&)>
void in_4_bits(Draw& d) {
  d.weight_bits = 4;
  kAdd(d);
  d.weight_bits = 8;
}

struct Layer {
  const char* kernel;
  void (*add)(Draw&);
};

constexpr size_t kLinears = 2;  // the first ones, which end a map

constexpr Layer kLayersOf[] = {
    {"linear_w4", in_4_bits<add_linear>},
    {"linear", add_linear},
    {"depthwise_w4", in_4_bits<add_depthwise>},
    {"conv2d_w4", in_4_bits<add_conv>},
    {"depthwise", add_depthwise},
    {"conv2d", add_conv},
    {"activation", [](Draw& d) { d.append(Activation{ActivationKind::HardSwish}); }},
    {"prelu", [](Draw& d) { d.append(PRelu{}); }},
    {"softmax_mul", add_softmax_mul},
    {"add", add_sum},
    {"mul", add_mul},
    {"avg_pool", add_pool<AvgPool>},
    {"max_pool", add_pool<MaxPool>},
    {"global_avg_pool", add_global_pool},
    {"blur_pool", add_blur},
    {"upsample", add_upsample},
    {"concat", add_concat},
    {"slice", add_slice},
    {"channel_shuffle", add_shuffle},
};

const Layer& layer_of(const Kernel& kernel) {
  const auto found = std::ranges::find_if(
      kLayersOf, [&](const Layer& layer) { return std::string_view(layer.kernel) == kernel.name; });
  if (found == std::end(kLayersOf))
    throw core::Error(std::string("kernel ") + kernel.name + ": no layers of it are known to bench kernels");
  return *found;
}

}  // namespace

arch::Spec kernel_network(size_t kernel, bool pure, core::Rng& rng) {
  const Layer& own = layer_of(kernels()[kernel]);
  const bool linear = std::string_view(own.kernel).starts_with("linear");
  const int64_t channels = 1 + static_cast<int64_t>(rng.below(40));
  Shape input{pure ? 2 + channels + channels % 2 : channels, 4 + static_cast<int64_t>(rng.below(21)),
              4 + static_cast<int64_t>(rng.below(21))};
  if (linear) input = {8 + static_cast<int64_t>(rng.below(400)), 1, 1};
  Builder net("random", input);
  Draw d{net, rng};
  for (int i = 0; i < kLayers; ++i) {
    const Shape shape = d.shape();
    if (!linear && shape.h * shape.w < 4) break;
    if (linear || pure || rng.below(3) != 0)
      own.add(d);
    else
      kLayersOf[kLinears + rng.below(std::size(kLayersOf) - kLinears)].add(d);
  }
  return net.finish();
}

}  // namespace condenser::cli
