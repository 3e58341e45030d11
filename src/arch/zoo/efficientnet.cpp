// EfficientNet-B0 (arXiv 1905.11946) and its Lite0 form, which drops squeeze-excite and swish for kernels that every
// int8 runtime has (github.com/tensorflow/tpu, efficientnet/lite).

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

struct Stage {
  int expansion, kernel, out, depth, stride;
};
constexpr Stage kStages[] = {
    {1, 3, 16, 1, 1},  {6, 3, 24, 2, 2},  {6, 5, 40, 2, 2},  {6, 3, 80, 3, 2},
    {6, 5, 112, 3, 1}, {6, 5, 192, 4, 2}, {6, 3, 320, 1, 1},
};

struct Variant {
  std::string name;
  ActivationKind activation;
  bool squeeze;
};

// The squeeze is a quarter of the block's input, not of the expanded width.
InvertedResidual unit(const Stage& s, int in, int stride, const Variant& v) {
  InvertedResidual o{s.expansion * in, s.out, s.kernel, stride, v.activation, std::nullopt};
  if (v.squeeze) o.squeeze = SqueezeExcite{in / 4, v.activation, ActivationKind::Sigmoid};
  return o;
}

Spec efficientnet(const Variant& v, Shape input, int classes) {
  const ConvStyle style{.norm = kTensorFlowNorm};
  Builder b(v.name, input);
  int x = peer_conv(b, b.input(), "stem", {32, square(3), 2, 1, v.activation}, style);
  int stage = 0;
  for (const Stage& s : kStages) {
    ++stage;
    for (int i = 1; i <= s.depth; ++i) {
      const int in = static_cast<int>(b.shape(x).c);
      x = inverted_residual(b, x, unit_name(stage, i), unit(s, in, i == 1 ? s.stride : 1, v), style);
    }
  }
  x = peer_conv(b, x, "features", {.out = 1280, .activation = v.activation}, style);
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace

Spec efficientnet_b0(Shape input, int classes) {
  return efficientnet({"efficientnet_b0", ActivationKind::Silu, true}, input, classes);
}

Spec efficientnet_lite0(Shape input, int classes) {
  return efficientnet({"efficientnet_lite0", ActivationKind::Relu6, false}, input, classes);
}

}  // namespace condenser::arch::reference
