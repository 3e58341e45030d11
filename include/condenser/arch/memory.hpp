#pragma once
// Static memory plan: liveness, in-place aliases, scratch of kernels, offsets. The gate refuses by it and the C99
// target emits it.

#include <cstdint>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/strips.hpp"

namespace condenser::arch {

struct Layout {
  int element_bytes = 1;   // int8 activations
  int alignment = 4;       // of every offset
  bool nesting = true;     // an output smaller than its dying input may begin where that begins
  int64_t fast_bytes = 0;  // of the faster one of two memories; 0: there is one memory
};

struct MemoryPlan {
  std::vector<int64_t> offset;   // per node, bytes into the arena; -1 for dead nodes
  std::vector<int64_t> bytes;    // per node; of those inside of strips for one strip
  std::vector<int64_t> scratch;  // per node: where the scratch of its kernel begins; -1 for none
  std::vector<int> alias_of;     // node whose buffer is reused, from its beginning, or -1
  int64_t peak_bytes = 0;        // arena size; the input, the outputs and all scratch live in the arena too
  int peak_node = -1;            // node during which the live bytes are largest
  int64_t peak_live_bytes = 0;   // bytes occupied then: the lower bound of peak_bytes with these overlaps
  Strips strips;                 // what is executed in strips, if anything is
  // With two memories: the arena is cut here, and what lies before goes into the fast one. No buffer lies across. 0:
  // one memory holds the arena, as there are no two, or the fast one holds all or nothing.
  int64_t fast_bytes = 0;
  double fast_share = 0;  // of the bytes that kernels read and write of activations and scratch: in the fast memory
};

// Kernels say whether they may write over an input (arch/kernels.hpp). An input of the same size that dies there is
// always taken over; a larger one where that makes the arena smaller.
// In strips, if any are given, the cut may grow over rows of the input that have been read.
// An arena larger than layout.fast_bytes is planned as two: buffers that are used most for their size go into the fast
// memory, as far as they fit beside those that live meanwhile. Both together may be larger than one arena.
MemoryPlan plan_memory(const Spec& lowered, const Analysis&, const Layout& = {}, const Strips& = {});
// The smallest arena of all cuts and numbers of strips (2 to 24) that cost at most so much more multiply-accumulates,
// as a share; without strips where none is smaller.
MemoryPlan plan_strips(const Spec& lowered, const Analysis&, double more_macs = 0.15, const Layout& = {});

}  // namespace condenser::arch
