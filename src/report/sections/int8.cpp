// What int8 costs: in figures, node by node, and how the run came to this form.

#include <algorithm>
#include <cmath>

#include "report/charts.hpp"
#include "report/sections/int8_advice.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {

namespace {

constexpr size_t kOpenRows = 60;  // of a table that stands open
constexpr size_t kBars = 12;

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

void add_table(const core::Table& table, const std::string& rows, Section& section) {
  if (table.rows.size() > kOpenRows)
    section.blocks.push_back({Details{std::to_string(table.rows.size()) + " " + rows, {{table}}}});
  else
    section.blocks.push_back({table});
}

void add_ways(const Quantized& q, Section& section) {
  if (q.tried.empty()) return;
  core::Table t{{{"way", "way to quantize", false},
                 {"metric", "validation " + q.metric},
                 {"loss", "validation loss"},
                 {"taken", "", false}},
                {}};
  for (const QuantWay& w : q.tried)
    t.rows.push_back({core::cell(w.name), figure_cell(w.metric, q.metric_unit), core::significant_cell(w.loss, 4),
                      core::cell(w.taken ? "taken" : "")});
  section.blocks.push_back({Heading{"Ways that were tried"}});
  section.blocks.push_back({t});
}

void add_sensitivity(const Quantized& q, Section& section) {
  const std::vector<NodeGain> gains = gains_of(q);
  if (gains.empty()) return;
  section.blocks.push_back({Heading{"Where accuracy is lost"}});
  section.blocks.push_back({Paragraph{
      "Each node alone in floats, all others in int8, simulated on some of the validation part (quantize.sensitivity). "
      "With every node in int8 " +
      q.metric + " is " + figure_cell(q.none_in_float, q.metric_unit).text + "."}});
  std::vector<Bar> bars;
  for (const NodeGain& g : std::span(gains).first(std::min(kBars, gains.size())))
    if (g.gain > 0) bars.push_back({g.node, g.gain, core::significant(g.gain, 3)});
  const std::string title = "What " + q.metric + " gains with one node in floats";
  if (!bars.empty())
    section.blocks.push_back({Figure{title, "pictures/sensitivity.svg", bars_svg(bars, title), {}, 560}});
  core::Table t{{{"node", "node", false}, {"alone", q.metric + " with it in float"}, {"gain", "gain"}}, {}};
  for (const NodeGain& g : gains)
    t.rows.push_back({core::cell(g.node), figure_cell(g.alone, q.metric_unit), core::significant_cell(g.gain, 3)});
  section.blocks.push_back({Details{"All " + std::to_string(gains.size()) + " nodes", {{t}}}});
}

void add_nodes(const Quantized& q, Section& section) {
  section.blocks.push_back({Heading{"Node by node"}});
  const double least = std::min(900.0, 120.0 + 22.0 * static_cast<double>(q.nodes.size()));
  if (const std::string noise = noise_svg(q.nodes); !noise.empty())
    section.blocks.push_back(
        {Figure{"Signal to int8 noise, node by node; the noisiest is orange", "pictures/noise.svg", noise, {}, least}});
  if (const std::string ranges = ranges_svg(q.nodes); !ranges.empty())
    section.blocks.push_back(
        {Figure{"Where the values lie in the int8 range of every node: the stronger the colour, the more values",
                "pictures/int8_ranges.svg",
                ranges,
                {},
                720}});
  add_table(quant::to_table(q.nodes), "nodes", section);
}

}  // namespace

std::optional<Section> int8_section(const Material& m) {
  if (!m.quantized) return std::nullopt;
  const Quantized& q = *m.quantized;
  Section section{"int8", "Int8", {}};
  section.blocks.push_back({Paragraph{
      "Rounding profile " + q.rounding + ", " + (q.way.empty() ? "observer " + q.observer : q.way) + ", " +
      std::to_string(q.calibration_samples) + " calibration items" +
      (q.trained_epochs > 0 ? ", then trained in int8 form for " + std::to_string(q.trained_epochs) + " epochs" : "") +
      "."}});
  if (!q.figures.empty()) section.blocks.push_back({figures_table(q)});
  if (const std::vector<std::string> advice = int8_advice(q); !advice.empty())
    section.blocks.push_back({Bullets{advice}});
  add_ways(q, section);
  add_sensitivity(q, section);
  add_nodes(q, section);
  return section;
}

}  // namespace condenser::report
