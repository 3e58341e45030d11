#pragma once
// Pictures of a run's report that have no home of their own. Each is one SVG; the same picture for the same data.

#include <string>
#include <utility>
#include <vector>

#include "condenser/arch/memory.hpp"
#include "condenser/quant/report.hpp"

namespace condenser::report {

// One examined trial.
struct ParetoPoint {
  double cost = 0, value = 0;
  std::string label;  // shown when pointed at
  bool feasible = true, on_front = false, winner = false;
};
// The value against the cost, the front as a line. "" without points.
std::string pareto_svg(const std::vector<ParetoPoint>&, const std::string& cost_title, const std::string& value_title);

// Bars with their texts, in the order that is given; what is below zero has no length. "" without bars.
struct Bar {
  std::string name;
  double value = 0;
  std::string text;
};
std::string bars_svg(const std::vector<Bar>&, const std::string& title);
std::string bars_svg(const std::vector<std::pair<std::string, int64_t>>&, const std::string& title);

// The arena over time: each value that lives in it as a box from the node that writes it to the last that reads it,
// at its offset. The node at which the live bytes peak is marked.
std::string memory_svg(const arch::Spec& lowered, const arch::MemoryPlan&);

// The signal-to-noise ratio of every node, in their order. Nodes without a finite one are left out. "" when none has.
std::string noise_svg(const std::vector<quant::NodeReport>&);

// How the float values of every node lie in its int8 range, a row for each: from the least value that int8 can say to
// the largest, darker where more values are. Nodes without a histogram are left out. "" when none has.
std::string ranges_svg(const std::vector<quant::NodeReport>&);

}  // namespace condenser::report
