// The prototype that the attention version was derived from: the same columns without attention, ReLU, deeper.
// 4,963,920 parameters and 628,604,716 multiply-accumulates with 1,000 classes at 3x224x224.

#include "arch/zoo/column_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {

Spec darwinnet_636mf(Shape input, int classes) {
  return column_net({"darwinnet_636mf", {{{40, 3}, {84, 4}, {176, 7}, {372, 3}}}, false, ActivationKind::Relu}, input,
                    classes);
}

}  // namespace condenser::arch::reference
