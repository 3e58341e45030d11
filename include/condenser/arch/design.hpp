#pragma once
// A network and what it costs: one value that travels from the search to the export. Made once, by design_of(); whoever
// is handed a Design need not validate, analyze, lower or plan again.

#include <string>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

class Builder;

struct Design {
  Spec spec;              // as given; valid, its shapes fit
  Analysis cost;          // of `spec`: what people quote as parameters and MACs
  Spec lowered;           // what is exported: lower(spec)
  Analysis lowered_cost;  // of `lowered`; its constant_bytes are the int8 flash
  MemoryPlan plan;        // of `lowered`, int8; its peak_bytes are the RAM

  const Shape& output(size_t k = 0) const { return output_shape(spec, cost, k); }
  const std::string& peak_node() const { return lowered.node(plan.peak_node).name; }  // where the live bytes peak
};

// Both throw SpecError. The hash stands beside a Design and is made where it is asked for: arch::hash(design.spec).
Design design_of(Spec);
Design design_of(Builder&);  // of the finished network; the builder's own counts are used. Call once, at the end

}  // namespace condenser::arch
