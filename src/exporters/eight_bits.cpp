#include "exporters/eight_bits.hpp"

#include "condenser/arch/int16.hpp"
#include "condenser/core/error.hpp"

namespace condenser::exporters {

void refuse_16_bits(const arch::Design& design, const std::string& why, std::vector<Unsupported>& refused) {
  const arch::Int16Nodes wide = arch::int16_nodes(design);
  for (size_t i = 0; i < wide.size(); ++i)
    if (wide[i])
      refused.push_back({design.lowered.nodes[i].name, "values of 16 bits" + why + "; the c99 target has them"});
}

void check_8_bits(const Package& package, const std::string& target) {
  for (const auto& [name, node] : package.quant->nodes)
    if (node.output.bits != 8)
      throw core::Error("the " + target + " target cannot express network '" + package.spec.name + "': node " + name +
                        ": values of 16 bits; the c99 target has them");
}

}  // namespace condenser::exporters
