#pragma once
// A Spec for people: per-layer table, Mermaid and DOT text. Same text for the same Spec (golden files).

#include <string>

#include "condenser/arch/spec.hpp"
#include "condenser/core/table.hpp"

namespace condenser::arch {

core::Table layer_table(const Spec&);  // node, op, inputs, output shape, params, macs, int8 constants
std::string to_mermaid(const Spec&);  // one box per block scope or node, after fusing conv+bn+act chains into one label
std::string to_dot(const Spec&);
std::string describe(const Op&);  // "conv 3x3/2 g4 -> 32"

}  // namespace condenser::arch
