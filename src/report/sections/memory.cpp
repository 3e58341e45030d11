// Where everything lies in RAM, and when.

#include "report/charts.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {

namespace {

std::string in_strips(const arch::Design& design) {
  const arch::Strips& strips = design.plan.strips;
  if (strips.empty()) return "";
  return ", with all up to " + design.lowered.node(strips.cut).name + " in " + std::to_string(strips.rows.size()) +
         " strips";
}

std::string stack_text(const Material& m) {
  if (!m.stack) return "";
  return ": " + core::bytes_text(m.stack->bytes) + (m.stack->measured ? " measured on " : " estimated for ") +
         m.stack->machine + ", " + core::bytes_text(m.design.plan.peak_bytes + m.stack->bytes) + " with the arena";
}

}  // namespace

std::optional<Section> memory_section(const Material& m) {
  if (m.design.plan.peak_node < 0) return std::nullopt;
  Section section{"memory", "Memory", {}};
  section.blocks.push_back({Paragraph{"Arena " + core::bytes_text(m.design.plan.peak_bytes) + in_strips(m.design) +
                                      "; most live bytes (" + core::thousands(m.design.plan.peak_live_bytes) +
                                      ") at node " + m.design.lowered.node(m.design.plan.peak_node).name +
                                      ". Input and output lie in the arena too; the code comes on top, and the stack" +
                                      stack_text(m) + "."}});
  const double least = std::min(900.0, 120.0 + 22.0 * static_cast<double>(m.design.lowered.nodes.size()));
  section.blocks.push_back(
      {Figure{"Each value as a box from the node that writes it to the last that reads it; the dashed "
              "line is the arena, the orange node has most live bytes",
              "pictures/memory.svg",
              memory_svg(m.design.lowered, m.design.plan),
              {},
              least}});
  return section;
}

}  // namespace condenser::report
