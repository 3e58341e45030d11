#pragma once
// Static memory plan: liveness, in-place aliases, offsets. The gate refuses by it and the C99 target emits it.

#include <optional>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

struct Layout {
  int element_bytes = 1;  // int8 activations
  int alignment = 4;      // of every offset
  bool trailing = true;   // a depthwise convolution may write over the input that it reads; see trail_pixels()
};

// A node whose output overlaps its input and overwrites it behind the reads.
struct Trail {
  int node = 0;
  int input = 0;
  bool operator==(const Trail&) const = default;
};

struct MemoryPlan {
  std::vector<int64_t> offset;  // per node, bytes into the arena; -1 for dead nodes
  std::vector<int64_t> bytes;   // per node
  std::vector<int> alias_of;    // node whose buffer is reused in place, or -1
  std::vector<Trail> trails;    // in the order of nodes
  int64_t peak_bytes = 0;       // arena size; the input and the outputs live in the arena too
  int peak_node = -1;           // node during which the live bytes are largest
  int64_t peak_live_bytes = 0;  // bytes occupied then: the lower bound of peak_bytes with these overlaps
};

// How many pixels below its input the output of a depthwise convolution must begin, at least, so that a kernel that
// goes pixel by pixel overwrites only what it will not read again. No line buffer is needed, and nothing is copied: a
// 3x3 window of stride 1 and padding 1 wants one row and one pixel, one of stride 2 starts at its input. Absent: a
// channel multiplier, an output higher or wider than the input, or no depthwise kernel. (Writing along a diagonal:
// Blacker et al. 2020, arXiv 2010.01668.)
std::optional<int64_t> trail_pixels(const Conv2d&, const Shape& in, const Shape& out);

// In place: Activation, PRelu, Scale, Add, Mul, SoftmaxMul may write over an input that dies there and has the same
// size. Depthwise convolutions may trail an input that dies there, and do where that makes the arena smaller.
MemoryPlan plan_memory(const Spec& lowered, const Analysis&, const Layout& = {});

}  // namespace condenser::arch
