// The reference networks of MLPerf Tiny as their Keras models lay them out (github.com/mlcommons/tiny): SAME padding,
// convolutions with bias before each batch norm, Keras' batch-norm settings. Dropout and the last softmax are left out.
// With batch norm folded they are the layers of the published TFLite files.

#include "arch/zoo/mobilenet_v1.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

constexpr auto kRelu = ActivationKind::Relu;

// Keras' defaults: epsilon 0.001, momentum 0.99 (0.01 in LibTorch's sense), use_bias.
ConvStyle keras() { return {true, true, BatchNorm{1e-3, 0.01}}; }

int dense_bn_relu(Builder& b, int x, const std::string& name, int out) {
  x = b.add(name, Linear{out}, {x});
  x = b.add(name + "_bn", keras().norm, {x});
  return b.add(name + "_act", Activation{kRelu}, {x});
}

int whole_map_bn_relu(Builder& b, const std::string& name, const Shape& map, int out) {
  const Size whole{static_cast<int>(map.h), static_cast<int>(map.w)};
  int x = b.add(name, Conv2d{out, whole, square(1), Pad{}, 1, true}, {b.input()});
  x = b.add(name + "_bn", keras().norm, {x});
  return b.add(name + "_act", Activation{kRelu}, {x});
}

}  // namespace

// Stride 2 in the second and third block; the shortcut's 1x1 has a bias and no batch norm.
Spec resnet8(Shape input, int classes) {
  Builder b("resnet8", input);
  int x = peer_conv(b, b.input(), "stem", {16, square(3), 1, 1, kRelu}, keras());
  x = resnet_basic(b, x, "b1", {16, 1, false}, keras());
  x = resnet_basic(b, x, "b2", {32, 2, false}, keras());
  x = resnet_basic(b, x, "b3", {64, 2, false}, keras());
  classifier_head(b, x, classes);
  return b.finish();
}

// Rows are time frames, columns are coefficients.
Spec ds_cnn(Shape input, int classes) {
  constexpr int kChannels = 64;
  Builder b("ds_cnn", input);
  int x = peer_conv(b, b.input(), "stem", {kChannels, Size{10, 4}, 2, 1, kRelu}, keras());
  for (const char* name : {"b1", "b2", "b3", "b4"}) x = depthwise_separable(b, x, name, {kChannels}, keras());
  classifier_head(b, x, classes);
  return b.finish();
}

Spec mobilenet_v1_025_96(Shape input, int classes) {
  return mobilenet_v1_net({"mobilenet_v1_025_96", 4, keras()}, input, classes);
}

// Reconstructs its input: its outputs are as many as its input's values, in the order channels, height, width. A vector
// is what the reference reads; of a map, the first layer sees the whole, which is the same layer with its weights in
// another form.
Spec autoencoder_ad(Shape input, int classes) {
  if (classes != input.elements())
    throw SpecError("", "autoencoder_ad: " + std::to_string(classes) + " outputs for " +
                            std::to_string(input.elements()) +
                            " inputs; expected as many, since it reconstructs its input (loss reconstruction)");
  Builder b("autoencoder_ad", input);
  int x =
      input.h == 1 && input.w == 1 ? dense_bn_relu(b, b.input(), "e1", 128) : whole_map_bn_relu(b, "e1", input, 128);
  for (const char* name : {"e2", "e3", "e4"}) x = dense_bn_relu(b, x, name, 128);
  x = dense_bn_relu(b, x, "code", 8);
  for (const char* name : {"d1", "d2", "d3", "d4"}) x = dense_bn_relu(b, x, name, 128);
  b.add("fc", Linear{classes}, {x});
  return b.finish();
}

}  // namespace condenser::arch::reference
