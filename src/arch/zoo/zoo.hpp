#pragma once
// The reference networks, one file per family. A new one: its function, a line here, a row in cards.cpp, its published
// counts in tests/arch/zoo_test.cpp.

#include "condenser/arch/spec.hpp"

namespace condenser::arch::reference {

Spec dcac_sca_325mf(Shape input, int classes);
Spec darwinnet_636mf(Shape input, int classes);
Spec attendnext_figure(Shape input, int classes);
Spec dcac_659mf_guess(Shape input, int classes);

Spec tinyspeech_x(Shape input, int classes);
Spec tinyspeech_y(Shape input, int classes);
Spec tinyspeech_z(Shape input, int classes);
Spec tinyspeech_m(Shape input, int classes);
Spec attendnet_b(Shape input, int classes);

Spec mobilenet_v1(Shape input, int classes);
Spec mobilenet_v2(Shape input, int classes);
Spec mobilenet_v3_large(Shape input, int classes);
Spec mobilenet_v3_small(Shape input, int classes);
Spec mobileone_s0(Shape input, int classes);
Spec mobileone_s1(Shape input, int classes);
Spec mobileone_s0_train(Shape input, int classes);
Spec mobileone_s1_train(Shape input, int classes);
Spec fbnet_c(Shape input, int classes);
Spec shufflenet_v2_1_0(Shape input, int classes);
Spec ghostnet_1_0(Shape input, int classes);
Spec efficientnet_b0(Shape input, int classes);
Spec efficientnet_lite0(Shape input, int classes);
Spec resnet50(Shape input, int classes);

Spec resnet8(Shape input, int classes);
Spec ds_cnn(Shape input, int classes);
Spec mobilenet_v1_025_96(Shape input, int classes);
Spec autoencoder_ad(Shape input, int classes);

Spec tenet6(Shape input, int classes);
Spec tenet6_narrow(Shape input, int classes);

}  // namespace condenser::arch::reference
