#pragma once
// The checks of one node that validate() and Builder share. Uniqueness of names is the caller's.

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

void check_input_shape(const Shape&);
void check_input_count(const std::string& name, const Op&, size_t count);
void check_node(const Node&, int index);  // name, inputs, attributes; throws SpecError

}  // namespace condenser::arch
