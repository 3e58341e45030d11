// A network of the AttendNet class (arXiv 2009.14385): visual attention condensers behind PEPE modules (both as drawn
// in TB-Net, arXiv 2104.03165, figure 2). Not published; a reconstruction of the size of the smallest AttendNet, which
// is known only by ratios to MobileNetV1: 4.17 times fewer parameters and about 3 times fewer multiply-accumulates.

#include <array>

#include "arch/zoo/zoo.hpp"
#include "condenser/arch/attention_blocks.hpp"
#include "condenser/arch/blocks.hpp"

namespace condenser::arch::reference {
namespace {

struct Stage {
  int width, condensers;
};
constexpr std::array<Stage, 4> kStages = {{{64, 3}, {128, 4}, {160, 6}, {320, 2}}};
constexpr int kStem = 48;

AttentionCondenserOptions visual(int width) {
  AttentionCondenserOptions o;
  o.mix = width / 2;
  o.embedding = {{width / 2, width / 2}};
  return o;
}

}  // namespace

Spec attendnet_b(Shape input, int classes) {
  Builder b("attendnet_b", input);
  int x = conv_bn_act(b, b.input(), "stem", {kStem, 3, 2, 1, ActivationKind::Relu});
  for (size_t i = 0; i < kStages.size(); ++i) {
    const Stage& stage = kStages[i];
    const std::string name = "s" + std::to_string(i + 1);
    x = pepe(b, x, name + "_pepe", {stage.width / 2, stage.width, stage.width, 2, ActivationKind::Relu});
    for (int k = 1; k <= stage.condensers; ++k)
      x = attention_condenser(b, x, name + "v" + std::to_string(k), visual(stage.width));
  }
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace condenser::arch::reference
