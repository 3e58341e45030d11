#pragma once
// The passes without their validation, for callers inside arch/ that have just validated.

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"

namespace condenser::arch {

Analysis analyze_valid(const Spec&);                               // shapes are still checked
Spec lower_valid(const Spec&, const Analysis&, Weights* weights);  // weights fit the Spec, or null

}  // namespace condenser::arch
