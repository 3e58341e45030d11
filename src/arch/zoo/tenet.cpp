// TENet (Li et al. 2020, arXiv 2010.09960): inverted bottlenecks along time alone, the coefficients of a frame are the
// channels of the first layer. The form after training: its multi-branch convolutions (kernels 3, 5, 7, 9) are one
// of 9. As audio_nets/tenet.py of github.com/Interlagos/TENet-kws lays it out: SAME padding, no biases, ReLU after
// every batch norm but those of the last 1x1 and of the shortcut, none after the sum. Its batch norms have no scale;
// ours do.

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

constexpr Size kOne{1, 1};

int convolve(Builder& b, int x, const std::string& name, Conv2d conv, bool relu) {
  conv.pad = same_pad(b.shape(x), conv.kernel, conv.stride);
  x = b.add(name, conv, {x});
  x = b.add(name + "_bn", kTensorFlowNorm, {x});
  return relu ? b.add(name + "_act", Activation{ActivationKind::Relu}, {x}) : x;
}

int bottleneck(Builder& b, int x, const std::string& name, int channels, int stride) {
  const Builder::Scope scope(b, name);
  const int expanded = 3 * channels;
  const Size along_time{stride, 1};
  const bool projects = stride != 1 || b.shape(x).c != channels;
  const int shortcut = projects ? convolve(b, x, "sc", {channels, kOne, along_time}, false) : x;
  x = convolve(b, x, "pw", {expanded, kOne, kOne}, true);
  x = convolve(b, x, "dw", {expanded, Size{9, 1}, along_time, {}, expanded}, true);
  x = convolve(b, x, "pwl", {channels, kOne, kOne}, false);
  return b.add("add", Add{}, {x, shortcut});
}

// Rows are time frames, columns are coefficients.
Spec tenet6(const char* name, int channels, Shape input, int classes) {
  Builder b(name, input);
  Conv2d stem{channels, Size{3, static_cast<int>(input.w)}, kOne, Pad{1, 1, 0, 0}};
  int x = b.add("stem", stem, {b.input()});
  x = b.add("stem_bn", kTensorFlowNorm, {x});
  x = b.add("stem_act", Activation{ActivationKind::Relu}, {x});
  for (int stage = 1; stage <= 3; ++stage)
    for (int block = 1; block <= 2; ++block)
      x = bottleneck(b, x, unit_name(stage, block), channels, block == 1 ? 2 : 1);
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace

Spec tenet6(Shape input, int classes) { return tenet6("tenet6", 32, input, classes); }
Spec tenet6_narrow(Shape input, int classes) { return tenet6("tenet6_narrow", 16, input, classes); }

}  // namespace condenser::arch::reference
