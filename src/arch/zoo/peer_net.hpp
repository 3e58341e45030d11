#pragma once
// What the peers' networks share: names of their blocks, and the settings of the framework they come from.

#include <string>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/peer_blocks.hpp"

namespace condenser::arch::reference {

// "s2b1": the first block of the second stage, as in the column networks.
inline std::string unit_name(int stage, int block) { return "s" + std::to_string(stage) + "b" + std::to_string(block); }

// TensorFlow's batch norm in MobileNetV3 and EfficientNet: decay 0.99 is momentum 0.01 in LibTorch's sense.
inline constexpr BatchNorm kTensorFlowNorm{1e-3, 0.01};

}  // namespace condenser::arch::reference
