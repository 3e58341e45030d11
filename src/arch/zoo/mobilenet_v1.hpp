#pragma once
// MobileNetV1 at a width, for the ImageNet network and the small one of MLPerf Tiny.

#include "arch/zoo/peer_net.hpp"

namespace condenser::arch::reference {

struct MobilenetV1 {
  std::string name;
  int divisor = 1;  // of every width: 4 is "0.25"
  ConvStyle style;
};

Spec mobilenet_v1_net(const MobilenetV1&, Shape input, int classes);

}  // namespace condenser::arch::reference
