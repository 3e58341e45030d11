#pragma once
// The programs around a network on an emulated machine.

#include "condenser/core/source_text.hpp"

namespace condenser::verify {

std::span<const core::SourceText> board_sources();  // "board.c.in", "link.ld.in", "count.c.in"

}  // namespace condenser::verify
