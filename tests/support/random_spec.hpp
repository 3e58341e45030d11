#pragma once
// Random valid Specs with branches, joins and dead ends, for properties that must hold on every graph.

#include "condenser/arch/spec.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::testing {

// Usual: what every executor takes in any order. All: every operator with attributes of every kind (asymmetric windows,
// groups, strides, clamps), batch norms, and sums of branches.
enum class Operators { Usual, All };

// `nodes` operators after the input (with All some count more); maps shrink as it goes, so that buffers differ in size.
// Deterministic by rng.
arch::Spec random_spec(core::Rng& rng, int nodes, Operators = Operators::Usual);

}  // namespace condenser::testing
