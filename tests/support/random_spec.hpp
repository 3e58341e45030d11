#pragma once
// Random valid Specs with branches, joins and dead ends, for properties that must hold on every graph.

#include "condenser/arch/spec.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::testing {

// Usual: what every executor takes in any order. All: every operator with attributes of every kind (asymmetric windows,
// groups, strides, clamps), batch norms, sums of branches, and now and then outputs of their own.
enum class Operators { Usual, All };

// `nodes` operators after the input (with All some count more); maps shrink as it goes, so that buffers differ in size.
// Deterministic by rng.
arch::Spec random_spec(core::Rng& rng, int nodes, Operators = Operators::Usual);

// Names one to three nodes as outputs.
void choose_outputs(core::Rng& rng, arch::Spec&);

}  // namespace condenser::testing
