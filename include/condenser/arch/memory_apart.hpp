#pragma once
// Memory for networks of which a foreign library computes some nodes.

#include <vector>

#include "condenser/arch/memory.hpp"

namespace condenser::arch {

// As plan_memory() without strips. apart: per node, whether its output must lie apart from its inputs whatever its
// kernel allows, and its kernel gets no scratch.
MemoryPlan plan_memory_apart(const Spec& lowered, const Analysis&, const std::vector<bool>& apart, const Layout& = {});

}  // namespace condenser::arch
