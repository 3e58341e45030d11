#pragma once
// The programs around a network on an emulated machine, and what stands in for CMSIS-NN.

#include "condenser/core/source_text.hpp"

namespace condenser::verify {

std::span<const core::SourceText> board_sources();  // "board.c.in", "link.ld.in", "count.c.in", "cmsis_nn.c.in"

}  // namespace condenser::verify
