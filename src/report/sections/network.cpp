// The winner: its picture, and what each layer costs as it is exported.

#include "condenser/arch/diagram.hpp"
#include "condenser/report/picture.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {

std::optional<Section> network_section(const Material& m) {
  const Picture picture = picture_of(m.design.spec);
  Section section{"network", "The winner", {}};
  section.blocks.push_back({Figure{"The network: data flow from left to right, colours are shares of the work",
                                   "pictures/network.svg",
                                   to_svg(picture),
                                   {},
                                   0.62 * picture.width}});
  section.blocks.push_back({Heading{"Layers as exported"}});
  const core::Table layers = arch::layer_table(m.design.lowered);
  const std::string count = std::to_string(layers.rows.size()) + " layers";
  if (layers.rows.size() > 60)
    section.blocks.push_back({Details{count, {{layers}}}});
  else
    section.blocks.push_back({layers});
  section.blocks.push_back(
      {Details{"The network as Mermaid text", {{Code{"mermaid", arch::to_mermaid(m.design.spec)}}}}});
  return section;
}

}  // namespace condenser::report
