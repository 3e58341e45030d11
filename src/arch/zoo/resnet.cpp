// ResNet-50 (arXiv 1512.03385) with the stride in the 3x3 ("v1.5").

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {

Spec resnet50(Shape input, int classes) {
  struct Stage {
    int channels, depth;
  };
  constexpr Stage kStages[] = {{64, 3}, {128, 4}, {256, 6}, {512, 3}};
  Builder b("resnet50", input);
  int x = peer_conv(b, b.input(), "stem", {64, square(7), 2, 1, ActivationKind::Relu});
  x = b.add("pool", MaxPool{square(3), square(2), pad_all(1)}, {x});
  int stage = 0;
  for (const Stage& s : kStages) {
    ++stage;
    for (int i = 1; i <= s.depth; ++i)
      x = resnet_bottleneck(b, x, unit_name(stage, i), {s.channels, i == 1 && stage > 1 ? 2 : 1});
  }
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace condenser::arch::reference
