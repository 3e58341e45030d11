#pragma once
// lower() without weights, for a Spec that has been analyzed.

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

// `given` is analyze() of the Spec; `cost`, empty before, becomes analyze() of the result. Throws SpecError.
Spec lowered_structure(const Spec&, const Analysis& given, Analysis& cost);

}  // namespace condenser::arch
