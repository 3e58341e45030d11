// MobileNetV1 (arXiv 1704.04861), V2 (arXiv 1801.04381) and V3 (arXiv 1905.02244) at width 1.0. Padding is (kernel - 1)
// / 2 on every side, as in the usual re-implementations; TensorFlow's SAME gives the same shapes on even maps.

#include <span>

#include "arch/zoo/mobilenet_v1.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

struct V2Stage {
  int expansion, out, depth, stride;
};
constexpr V2Stage kV2[] = {
    {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
};

constexpr auto kRelu = ActivationKind::Relu;
constexpr auto kSwish = ActivationKind::HardSwish;

struct V3Row {
  int kernel, expanded, out;
  bool squeeze;
  ActivationKind activation;
  int stride;
};
constexpr V3Row kV3Large[] = {
    {3, 16, 16, false, kRelu, 1},   {3, 64, 24, false, kRelu, 2},   {3, 72, 24, false, kRelu, 1},
    {5, 72, 40, true, kRelu, 2},    {5, 120, 40, true, kRelu, 1},   {5, 120, 40, true, kRelu, 1},
    {3, 240, 80, false, kSwish, 2}, {3, 200, 80, false, kSwish, 1}, {3, 184, 80, false, kSwish, 1},
    {3, 184, 80, false, kSwish, 1}, {3, 480, 112, true, kSwish, 1}, {3, 672, 112, true, kSwish, 1},
    {5, 672, 160, true, kSwish, 2}, {5, 960, 160, true, kSwish, 1}, {5, 960, 160, true, kSwish, 1},
};
constexpr V3Row kV3Small[] = {
    {3, 16, 16, true, kRelu, 2},   {3, 72, 24, false, kRelu, 2},  {3, 88, 24, false, kRelu, 1},
    {5, 96, 40, true, kSwish, 2},  {5, 240, 40, true, kSwish, 1}, {5, 240, 40, true, kSwish, 1},
    {5, 120, 48, true, kSwish, 1}, {5, 144, 48, true, kSwish, 1}, {5, 288, 96, true, kSwish, 2},
    {5, 576, 96, true, kSwish, 1}, {5, 576, 96, true, kSwish, 1},
};

// The last 1x1 before the pool and the hidden layer behind it.
struct V3Head {
  int features, hidden;
};

InvertedResidual v3_unit(const V3Row& row) {
  InvertedResidual unit{row.expanded, row.out, row.kernel, row.stride, row.activation, std::nullopt};
  if (row.squeeze) unit.squeeze = SqueezeExcite{round_channels(row.expanded / 4.0, 8)};
  return unit;
}

Spec mobilenet_v3(const std::string& name, std::span<const V3Row> rows, const V3Head& head, Shape input, int classes) {
  const ConvStyle style{.norm = kTensorFlowNorm};
  Builder b(name, input);
  int x = peer_conv(b, b.input(), "stem", {16, square(3), 2, 1, kSwish}, style);
  int index = 0;
  for (const V3Row& row : rows) x = inverted_residual(b, x, "b" + std::to_string(++index), v3_unit(row), style);
  x = peer_conv(b, x, "features", {.out = head.features, .activation = kSwish}, style);
  x = b.add("gap", GlobalAvgPool{}, {x});
  x = b.add("hidden_act", Activation{kSwish}, {b.add("hidden", Linear{head.hidden}, {x})});
  b.add("fc", Linear{classes}, {x});
  return b.finish();
}

}  // namespace

Spec mobilenet_v1_net(const MobilenetV1& net, Shape input, int classes) {
  struct Row {
    int out, stride;
  };
  constexpr Row kRows[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                           {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  Builder b(net.name, input);
  int x = peer_conv(b, b.input(), "stem", {32 / net.divisor, square(3), 2, 1, kRelu}, net.style);
  int index = 0;
  for (const Row& row : kRows)
    x = depthwise_separable(b, x, "b" + std::to_string(++index), {row.out / net.divisor, 3, row.stride, kRelu},
                            net.style);
  classifier_head(b, x, classes);
  return b.finish();
}

Spec mobilenet_v1(Shape input, int classes) { return mobilenet_v1_net({"mobilenet_v1"}, input, classes); }

Spec mobilenet_v2(Shape input, int classes) {
  constexpr auto kRelu6 = ActivationKind::Relu6;
  Builder b("mobilenet_v2", input);
  int x = peer_conv(b, b.input(), "stem", {32, square(3), 2, 1, kRelu6});
  int stage = 0;
  for (const V2Stage& s : kV2) {
    ++stage;
    for (int i = 1; i <= s.depth; ++i) {
      const int expanded = s.expansion * static_cast<int>(b.shape(x).c);
      x = inverted_residual(b, x, unit_name(stage, i), {expanded, s.out, 3, i == 1 ? s.stride : 1, kRelu6, {}});
    }
  }
  x = peer_conv(b, x, "features", {.out = 1280, .activation = kRelu6});
  classifier_head(b, x, classes);
  return b.finish();
}

Spec mobilenet_v3_large(Shape input, int classes) {
  return mobilenet_v3("mobilenet_v3_large", kV3Large, {960, 1280}, input, classes);
}

Spec mobilenet_v3_small(Shape input, int classes) {
  return mobilenet_v3("mobilenet_v3_small", kV3Small, {576, 1024}, input, classes);
}

}  // namespace condenser::arch::reference
