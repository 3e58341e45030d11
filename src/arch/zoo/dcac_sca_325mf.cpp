// The released network of Cancer-Net SCa DC-AC (arXiv 2311.11656, configuration DarwinNet_XA_325MF): 1,632,345
// parameters and 318,952,524 multiply-accumulates with one output at 3x224x224.

#include "arch/zoo/column_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {

Spec dcac_sca_325mf(Shape input, int classes) {
  return column_net({"dcac_sca_325mf", {{{40, 2}, {84, 2}, {176, 3}, {372, 1}}}, true, ActivationKind::Silu}, input,
                    classes);
}

}  // namespace condenser::arch::reference
