#pragma once
// Random valid Specs with branches, joins and dead ends, for properties that must hold on every graph.

#include "condenser/arch/spec.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::testing {

// `nodes` operators after the input; maps shrink as it goes, so that buffers differ in size. Deterministic by rng.
arch::Spec random_spec(core::Rng& rng, int nodes);

}  // namespace condenser::testing
