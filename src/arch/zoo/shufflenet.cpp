// ShuffleNetV2 (arXiv 1807.11164) at 1.0x.

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {

Spec shufflenet_v2_1_0(Shape input, int classes) {
  struct Stage {
    int out, depth;
  };
  constexpr Stage kStages[] = {{116, 4}, {232, 8}, {464, 4}};
  Builder b("shufflenet_v2_1_0", input);
  int x = peer_conv(b, b.input(), "stem", {24, square(3), 2, 1, ActivationKind::Relu});
  x = b.add("pool", MaxPool{square(3), square(2), pad_all(1)}, {x});
  int stage = 0;
  for (const Stage& s : kStages) {
    ++stage;
    for (int i = 1; i <= s.depth; ++i) x = shufflenet_v2_unit(b, x, unit_name(stage, i), s.out, i == 1 ? 2 : 1);
  }
  x = peer_conv(b, x, "features", {.out = 1024, .activation = ActivationKind::Relu});
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace condenser::arch::reference
