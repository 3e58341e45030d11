// GhostNet (arXiv 1911.11907) at 1.0x.

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

struct Row {
  int kernel, expanded, out;
  bool squeeze;
  int stride;
};
constexpr Row kRows[] = {
    {3, 16, 16, false, 1},   {3, 48, 24, false, 2},  {3, 72, 24, false, 1},   {5, 72, 40, true, 2},
    {5, 120, 40, true, 1},   {3, 240, 80, false, 2}, {3, 200, 80, false, 1},  {3, 184, 80, false, 1},
    {3, 184, 80, false, 1},  {3, 480, 112, true, 1}, {3, 672, 112, true, 1},  {5, 672, 160, true, 2},
    {5, 960, 160, false, 1}, {5, 960, 160, true, 1}, {5, 960, 160, false, 1}, {5, 960, 160, true, 1},
};

GhostBottleneck unit(const Row& row) {
  return {row.expanded, row.out, row.kernel, row.stride, row.squeeze ? round_channels(row.expanded / 4.0, 4) : 0};
}

// 1x1 with bias and without batch norm on the pooled map, then the classifier.
void head(Builder& b, int x, int classes) {
  x = b.add("gap", GlobalAvgPool{}, {x});
  Conv2d hidden{1280, square(1), square(1)};
  hidden.bias = true;
  x = b.add("hidden_act", Activation{ActivationKind::Relu}, {b.add("hidden", hidden, {x})});
  b.add("fc", Linear{classes}, {x});
}

}  // namespace

Spec ghostnet_1_0(Shape input, int classes) {
  Builder b("ghostnet_1_0", input);
  int x = peer_conv(b, b.input(), "stem", {16, square(3), 2, 1, ActivationKind::Relu});
  int index = 0;
  for (const Row& row : kRows) x = ghost_bottleneck(b, x, "b" + std::to_string(++index), unit(row));
  x = peer_conv(b, x, "features", {.out = 960, .activation = ActivationKind::Relu});
  head(b, x, classes);
  return b.finish();
}

}  // namespace condenser::arch::reference
