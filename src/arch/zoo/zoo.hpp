#pragma once
// The reference networks, one file each. A new one: its file, a line here, a row in zoo.cpp, its published counts in
// tests/arch/zoo_test.cpp.

#include "condenser/arch/spec.hpp"

namespace condenser::arch::reference {

Spec dcac_sca_325mf(Shape input, int classes);
Spec darwinnet_636mf(Shape input, int classes);

}  // namespace condenser::arch::reference
