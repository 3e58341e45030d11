// The shared backbone of the published column networks:
//   stem    3x3/2 -> 32, 3x3 g4, average pool 3x3/2 with padded zeros counted
//   stages  basic, basic, bottleneck, bottleneck; stride 1, 2, 2, 2; four columns
//   head    global average pool, linear
// Structure read from the public configurations of Cancer-Net SCa DC-AC (arXiv 2311.11656).

#include "arch/zoo/column_net.hpp"

namespace condenser::arch::reference {
namespace {

constexpr int kColumns = 4;
constexpr int kStemChannels = 32;

int stem(Builder& b, int x, ActivationKind activation) {
  const Builder::Scope scope(b, "stem");
  x = conv_bn_act(b, x, "c1", {kStemChannels, 3, 2, 1, activation});
  x = conv_bn_act(b, x, "c2", {kStemChannels, 3, 1, kColumns, activation});
  return b.add("pool", AvgPool{square(3), square(2), pad_all(1), true}, {x});
}

}  // namespace

Spec column_net(const ColumnNet& net, Shape input, int classes) {
  Builder b(net.name, input);
  int x = stem(b, b.input(), net.activation);
  for (size_t i = 0; i < net.stages.size(); ++i) {
    ColumnOptions options;
    options.channels = net.stages[i].channels;
    options.columns = kColumns;
    options.stride = i == 0 ? 1 : 2;
    options.bottleneck = i >= 2;
    options.attention = net.attention;
    options.activation = net.activation;
    x = column_stage(b, x, "s" + std::to_string(i + 1), net.stages[i].depth, options);
  }
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace condenser::arch::reference
