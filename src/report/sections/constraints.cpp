// Rules, budgets and comparator, with what was found and why the rule exists.

#include "condenser/arch/rules.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {

std::optional<Section> constraints_section(const Material& m) {
  if (m.verdicts.empty()) return std::nullopt;
  core::Table t{{{"rule", "rule", false},
                 {"holds", "holds", false},
                 {"node", "node", false},
                 {"value", "value", false},
                 {"limit", "limit", false},
                 {"why", "why the rule exists", false}},
                {}};
  for (const search::Verdict& v : m.verdicts) {
    const arch::Rule* structural = arch::find_rule(v.rule);
    t.rows.push_back({core::cell(v.rule), core::cell(v.passed ? "yes" : "NO"), core::cell(v.node), core::cell(v.value),
                      core::cell(v.limit), core::cell(structural ? structural->why : "")});
  }
  return Section{"constraints", "Constraints on the winner", {{t}}};
}

}  // namespace condenser::report
