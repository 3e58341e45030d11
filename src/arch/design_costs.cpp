#include "condenser/arch/design_costs.hpp"

#include "condenser/arch/int16.hpp"

namespace condenser::arch {

MachineCosts machine_costs(const MachineModel& model, const Design& design) {
  if (!int16_nodes(design).empty()) return {-1, -1, -1, -1};
  return machine_costs(model, design.lowered, design.lowered_cost, &design.plan.strips);
}

}  // namespace condenser::arch
