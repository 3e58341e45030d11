#pragma once
// Static memory plan: liveness, in-place aliases, offsets. The gate refuses by it and the C99 target emits it.

#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

struct Layout {
  int element_bytes = 1;  // int8 activations
  int alignment = 4;      // of every offset
};

struct MemoryPlan {
  std::vector<int64_t> offset;  // per node, bytes into the arena; -1 for dead nodes
  std::vector<int64_t> bytes;   // per node
  std::vector<int> alias_of;    // node whose buffer is reused in place, or -1
  int64_t peak_bytes = 0;       // arena size; the input and the output live in the arena too
  int peak_node = -1;           // node during which the live bytes are largest
  int64_t peak_live_bytes = 0;  // live bytes then: the lower bound of peak_bytes
};

// In place: Activation, PRelu, Scale, Add, Mul, SoftmaxMul may write over an input that dies there and has the same
// size.
MemoryPlan plan_memory(const Spec& lowered, const Analysis&, const Layout& = {});

}  // namespace condenser::arch
