// What int8 costs at every node.

#include "report/charts.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {

std::optional<Section> int8_section(const Material& m) {
  if (!m.quantized) return std::nullopt;
  const Quantized& q = *m.quantized;
  Section section{"int8", "Int8", {}};
  section.blocks.push_back({Paragraph{"Rounding profile " + q.rounding + ", observer " + q.observer + ", " +
                                      std::to_string(q.calibration_samples) + " calibration items."}});
  const std::string noise = noise_svg(q.nodes);
  const double least = std::min(900.0, 120.0 + 22.0 * static_cast<double>(q.nodes.size()));
  if (!noise.empty())
    section.blocks.push_back(
        {Figure{"Signal to int8 noise, node by node; the noisiest is orange", "pictures/noise.svg", noise, {}, least}});
  const core::Table table = quant::to_table(q.nodes);
  if (table.rows.size() > 60)
    section.blocks.push_back({Details{std::to_string(table.rows.size()) + " nodes", {{table}}}});
  else
    section.blocks.push_back({table});
  return section;
}

}  // namespace condenser::report
