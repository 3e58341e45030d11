#pragma once
// What a design takes of a machine, its strips and the bits of its values looked at.

#include "condenser/arch/design.hpp"
#include "condenser/arch/machine_model.hpp"

namespace condenser::arch {

// As machine_costs() of machine_model.hpp; nothing is known (-1) where values have 16 bits, as nobody measured those
// kernels.
MachineCosts machine_costs(const MachineModel&, const Design&);

}  // namespace condenser::arch
