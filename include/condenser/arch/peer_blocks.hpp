#pragma once
// Blocks of the networks that the attention-condenser line is compared with. As in blocks.hpp: functions that append
// primitives through a Builder and return the id of their output. Every block opens a scope of its name; SpecError
// names the block when options do not fit. Shapes are c x h x w of one sample.

#include <optional>
#include <string>

#include "condenser/arch/builder.hpp"

namespace condenser::arch {

// What differs between the frameworks the peers were published in, but not between the blocks of one network.
struct ConvStyle {
  bool same_padding = false;  // TensorFlow's SAME: ceil(in / stride) outputs, an odd zero goes bottom and right;
                              // otherwise (kernel - 1) / 2 on every side
  bool bias = false;          // the convolution has a bias although a batch norm follows (Keras' default)
  BatchNorm norm;
};

// Zeros per side for SAME padding of a window on `in`.
Pad same_pad(const Shape& in, Size kernel, Size stride);

struct PeerConv {
  int out = 0;
  Size kernel{1, 1};
  int stride = 1;
  int groups = 1;
  std::optional<ActivationKind> activation;
};

// conv -> batch norm [-> activation]; nodes <name>, <name>_bn, <name>_act.
int peer_conv(Builder&, int x, const std::string& name, const PeerConv&, const ConvStyle& = {});

// The same with a kernel x kernel filter per channel; output channels stay.
int depthwise_conv(Builder&, int x, const std::string& name, int kernel, int stride,
                   std::optional<ActivationKind> activation, const ConvStyle& = {});

// The nearest multiple of `divisor` that is not below 0.9 * value (nor below `divisor`): the rounding of widths in
// MobileNetV2 (arXiv 1801.04381) and its successors.
int round_channels(double value, int divisor);

struct SqueezeExcite {
  int reduced = 0;  // channels between the two 1x1 convolutions
  ActivationKind activation = ActivationKind::Relu;
  ActivationKind gate = ActivationKind::HardSigmoid;
  bool operator==(const SqueezeExcite&) const = default;
};

// y = x * gate(W2 act(W1 mean(x) + b1) + b2), one factor per channel. Nodes <name>_pool, _reduce, _act, _expand, _gate,
// _mul. Source: Hu et al. 2018 (arXiv 1709.01507).
int squeeze_excite(Builder&, int x, const std::string& name, const SqueezeExcite&);

struct DepthwiseSeparable {
  int out = 0;
  int kernel = 3;
  int stride = 1;
  ActivationKind activation = ActivationKind::Relu;
};

// kxk/s depthwise -> bn -> act -> 1x1 (out) -> bn -> act; nodes dw, pw. c x h x w -> out x h/s x w/s.
// Source: MobileNet (arXiv 1704.04861).
int depthwise_separable(Builder&, int x, const std::string& name, const DepthwiseSeparable&, const ConvStyle& = {});

struct InvertedResidual {
  int expanded = 0;  // channels of the depthwise convolution; the first 1x1 is left out when they are the input's
  int out = 0;
  int kernel = 3;
  int stride = 1;
  ActivationKind activation = ActivationKind::Relu6;
  std::optional<SqueezeExcite> squeeze;  // after the depthwise convolution's activation
};

// F = [1x1 (expanded) -> bn -> act ->] kxk/s depthwise -> bn -> act [-> squeeze-excite] -> 1x1 (out) -> bn
// y = x + F(x) when the shape stays, else F(x); no activation after it. Nodes pw, dw, se, pwl, add.
// c x h x w -> out x h/s x w/s. Sources: MobileNetV2 (arXiv 1801.04381); with squeeze-excite MobileNetV3 (arXiv
// 1905.02244) and EfficientNet (arXiv 1905.11946).
int inverted_residual(Builder&, int x, const std::string& name, const InvertedResidual&, const ConvStyle& = {});

struct FbnetUnit {
  int expansion = 1;  // of the input's channels
  int out = 0;
  int kernel = 3;
  int stride = 1;
};

// The inverted residual with ReLU, width as a ratio; expansion 1 has no first 1x1. c x h x w -> out x h/s x w/s.
// Source: FBNet (arXiv 1812.03443), without its grouped 1x1 candidates.
int fbnet_unit(Builder&, int x, const std::string& name, const FbnetUnit&);

struct ResnetUnit {
  int channels = 0;             // of the 3x3 convolutions; a bottleneck gives 4 times as many
  int stride = 1;               // of the block: in the first 3x3
  bool projection_norm = true;  // batch norm after the 1x1 of the shortcut
};

// Basic:      F = 3x3/s -> bn -> relu -> 3x3 -> bn
// Bottleneck: F = 1x1 -> bn -> relu -> 3x3/s -> bn -> relu -> 1x1 (4 channels) -> bn
// Shortcut P: 1x1/s -> bn when the shape changes, else identity. y = relu(F(x) + P(x)). Nodes c1, c2, c3, sc, add, act.
// Source: He et al. 2016 (arXiv 1512.03385); the stride in the 3x3 of the bottleneck is that of the usual
// re-implementations ("v1.5") and of the usual count.
int resnet_basic(Builder&, int x, const std::string& name, const ResnetUnit&, const ConvStyle& = {});
int resnet_bottleneck(Builder&, int x, const std::string& name, const ResnetUnit&, const ConvStyle& = {});

// stride 1: [a, b] = halves of x; y = shuffle2([a, B(b)]); out must be the input's channels, even
// stride 2: y = shuffle2([S(x), B(x)]), S = 3x3/2 depthwise -> bn -> 1x1 (out/2) -> bn -> relu
// B = 1x1 (out/2) -> bn -> relu -> 3x3/s depthwise -> bn -> 1x1 (out/2) -> bn -> relu
// c x h x w -> out x h/s x w/s. Source: ShuffleNetV2 (arXiv 1807.11164).
int shufflenet_v2_unit(Builder&, int x, const std::string& name, int out, int stride);

struct GhostModule {
  int out = 0;
  int kernel = 1;        // of the primary convolution
  int ratio = 2;         // one in `ratio` outputs is computed in full
  int cheap_kernel = 3;  // of the depthwise convolution that makes the others
  bool relu = true;
};

// p = kxk (ceil(out / ratio)) -> bn [-> relu]; g = depthwise, ratio - 1 outputs per channel -> bn [-> relu];
// y = the first `out` channels of [p, g]. c x h x w -> out x h x w. Source: GhostNet (arXiv 1911.11907).
int ghost_module(Builder&, int x, const std::string& name, const GhostModule&);

struct GhostBottleneck {
  int expanded = 0;
  int out = 0;
  int kernel = 3;
  int stride = 1;
  int squeeze = 0;  // reduced channels of its squeeze-excite; 0 = none
};

// F = ghost (expanded, relu) [-> kxk/2 depthwise -> bn] [-> squeeze-excite] -> ghost (out)
// P = kxk/s depthwise -> bn -> 1x1 (out) -> bn when the shape changes, else identity. y = F(x) + P(x).
// c x h x w -> out x h/s x w/s. Source: GhostNet (arXiv 1911.11907).
int ghost_bottleneck(Builder&, int x, const std::string& name, const GhostBottleneck&);

struct MobileOneUnit {
  int out = 0;
  int kernel = 3;
  int stride = 1;
  int groups = 1;
};

// Inference form: y = relu(kxk/s conv with bias). Source: MobileOne (arXiv 2206.04040).
int mobileone_unit(Builder&, int x, const std::string& name, const MobileOneUnit&);

// Training form, a sum of linear branches that fold into the inference form:
//   y = relu(sum of `branches` kxk/s conv -> bn  +  1x1/s conv -> bn, when k > 1  +  bn(x), when the shape stays)
// c x h x w -> out x h/s x w/s. Source: MobileOne (arXiv 2206.04040).
int mobileone_train_unit(Builder&, int x, const std::string& name, const MobileOneUnit&, int branches);

}  // namespace condenser::arch
