#pragma once
// Which int8 kernel runs a node, and what it asks of memory: known from shapes, so that the search, the memory plan and
// the export ask the same table (src/arch/kernels.cpp). How a kernel is called stands in runtime/.

#include <span>

#include "condenser/arch/ops.hpp"

namespace condenser::arch {

struct Kernel {
  const char* name;   // "conv2d": cnd_conv2d.c
  const char* forms;  // instruction sets that its source has forms for, chosen when it is compiled; all give equal bits
  // The first row that fits an operator runs it. `in` are the shapes of its inputs.
  bool (*fits)(const Op&, std::span<const Shape> in);
  // Whether the output may begin where an input of at least its size begins; null: never.
  bool (*in_place)(const Op&, const Shape& in, const Shape& out);
  // Bytes that it needs while it runs; null: none.
  int64_t (*scratch)(const Op&, const Shape& in, const Shape& out);
};

std::span<const Kernel> kernels();

// Rows of a channel that the depthwise kernel may keep beyond those of one window: CND_DEPTHWISE_ROWS.
inline constexpr int64_t kDepthwiseRowsAhead = 5;

// Null: no kernel, because there is nothing to do (input) or no int8 form (batch norm, softmax).
const Kernel* choose_kernel(const Op&, std::span<const Shape> in);

}  // namespace condenser::arch
