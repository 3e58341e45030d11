#pragma once
// One call of a program's kernel in an arena.

#include "condenser/runtime/int8_program.hpp"

namespace condenser::runtime {

void run_call(const Int8Program&, const Turn&, int8_t* arena);

}  // namespace condenser::runtime
