// What int8 costs at every node.

#include <cmath>

#include "report/charts.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {

namespace {

core::Cell figure_cell(double value, const std::string& unit) {
  if (!std::isfinite(value)) return core::empty_cell();
  core::Cell cell = core::cell(value, 4);
  if (!unit.empty()) cell.text += " " + unit;
  return cell;
}

core::Table figures_table(const Quantized& q) {
  core::Table t{{{"figure", "test part", false}, {"float", "float"}, {"int8", "int8"}}, {}};
  for (const BothForms& f : q.figures)
    t.rows.push_back({core::cell(f.title), figure_cell(f.as_float, f.unit), figure_cell(f.as_int8, f.unit)});
  return t;
}

}  // namespace

std::optional<Section> int8_section(const Material& m) {
  if (!m.quantized) return std::nullopt;
  const Quantized& q = *m.quantized;
  Section section{"int8", "Int8", {}};
  section.blocks.push_back({Paragraph{"Rounding profile " + q.rounding + ", observer " + q.observer + ", " +
                                      std::to_string(q.calibration_samples) + " calibration items."}});
  if (!q.figures.empty()) section.blocks.push_back({figures_table(q)});
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
