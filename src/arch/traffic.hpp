#pragma once
// How many bytes of activations and scratch a kernel reads and writes, estimated from shapes alone: what a memory plan
// ranks buffers by. Caches and registers are not looked at.

#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

struct Traffic {
  std::vector<double> read;  // per input
  double written = 0;        // of the output: every value once
  double scratch = 0;        // if the kernel has any: one value of 16 bits per multiply-accumulate
};

// Of a window operator every window is read whole; of any other operator every value once.
Traffic traffic_of(const Spec&, const Analysis&, int node);

}  // namespace condenser::arch
