#pragma once
// Which layers keep their weights in 4 bits, chosen by name.

#include <string>
#include <vector>

#include "condenser/arch/design.hpp"

namespace condenser::arch {

// Words: `all` convolutions and linears, `inner` for all but the first and the last of them, or names of nodes, in
// which
// * stands for anything; with a minus before it, a word takes layers out again. One after the other.
using Int4Words = std::vector<std::string>;

// Sets weight_bits of the lowered form and counts its constants anew. Its memory plan stays what it is: kernels take
// the same scratch for either width. Layers that have 4 bits by themselves keep them.
void choose_int4(Design&, const Int4Words&);

// The same in the network itself, not in its lowered form alone: the choice is part of its identity then.
void write_int4(Design&, const Int4Words&);

// The first word that means no layer of this network, or an empty text.
std::string idle_word(const Spec& lowered, const Int4Words&);

// Convolutions and linears of a lowered network.
bool has_weight_bits(const Op&);

}  // namespace condenser::arch
