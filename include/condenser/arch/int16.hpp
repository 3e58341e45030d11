#pragma once
// Which nodes keep their values in 16 bits, chosen by name, and what that changes: kernels, constants, memory. Weights
// keep their 8 bits. A side table beside the lowered form; the scales stand in runtime/quant_params.hpp.

#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/arch/kernels.hpp"

namespace condenser::arch {

// Words: names of nodes, in which * stands for anything, or `all` that may have 16 bits; with a minus before it, a word
// takes nodes out again. One after the other.
using Int16Words = std::vector<std::string>;

// Per node of a lowered Spec: whether its values have 16 bits. Empty: all have 8.
using Int16Nodes = std::vector<bool>;

// As the words say. Nodes that pass the values of their input on have as many bits as it; words do not mean them. A
// node that is named although it cannot is there too: int16_refusal() says why it cannot.
Int16Nodes int16_nodes(const Spec& lowered, const Analysis&, const Int16Words&);
// As a memory plan has them: two bytes for a value.
Int16Nodes int16_nodes(const Spec& lowered, const Analysis&, const MemoryPlan&);
inline Int16Nodes int16_nodes(const Design& d) { return int16_nodes(d.lowered, d.lowered_cost, d.plan); }
inline bool is_int16(const Int16Nodes& nodes, int node) { return !nodes.empty() && nodes[static_cast<size_t>(node)]; }

// The first word that means no node of this network, or an empty text.
std::string idle_int16_word(const Spec& lowered, const Analysis&, const Int16Words&);

// Why no kernel computes this node with the bits that it and its inputs have, and what to try; an empty text: one does,
// or all have 8.
std::string int16_refusal(const Spec& lowered, const Analysis&, const Int16Nodes&, int node);

// Whether this node alone may have 16 bits, with those that pass its values on; all others have 8.
bool may_be_int16(const Spec& lowered, const Analysis&, int node);

// Pools, blurs, up-sampling, slices and shuffles: their output has the scale and the bits of their input.
bool passes_values_on(const Op&);

// An input or the output of the node has 16 bits.
bool meets_int16(const Spec& lowered, const Int16Nodes&, int node);
// As choose_kernel() of kernels.hpp, or a kernel of values of 8 and 16 bits, which no machine model knows.
const Kernel* choose_kernel(const Spec& lowered, const Analysis&, const Int16Nodes&, int node);

// Tables of functions hold values of 16 bits where their node meets such. Counts the constants of int8 anew.
void count_int16_constants(const Spec& lowered, const Int16Nodes&, Analysis&);

// As plan_memory() and plan_strips() of memory.hpp.
MemoryPlan plan_memory(const Spec& lowered, const Analysis&, const Int16Nodes&, const Layout& = {}, const Strips& = {});
MemoryPlan plan_strips(const Spec& lowered, const Analysis&, const Int16Nodes&);

}  // namespace condenser::arch
