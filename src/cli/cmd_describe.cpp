// `condenser describe`: a network's layers, totals, memory and rule verdicts; `condenser zoo`: the reference networks.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/networks.hpp"
#include "cli/stages.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/arch/zoo.hpp"

namespace condenser::cli {

namespace {

nlohmann::ordered_json facts_json(const arch::Spec& spec, const arch::Examination& f) {
  nlohmann::ordered_json j;
  j["schema_version"] = 1;
  j["name"] = spec.name;
  j["hash"] = arch::hash(spec).hex();
  j["input"] = {spec.input.c, spec.input.h, spec.input.w};
  j["params"] = f.given.params;
  j["macs"] = f.given.macs;
  j["constant_bytes"] = f.cost.constant_bytes;
  j["arena_bytes"] = f.plan.peak_bytes;
  j["peak_node"] = f.lowered.nodes[f.plan.peak_node].name;
  for (const arch::Rule& rule : arch::rules()) {
    nlohmann::ordered_json broken = nlohmann::ordered_json::array();
    for (const auto& v : rule.check(spec)) broken.push_back({{"node", v.node}, {"what", v.what}});
    j["rules"].push_back({{"rule", rule.name}, {"holds", broken.empty()}, {"violations", broken}});
  }
  j["layers"] = nlohmann::ordered_json::parse(core::to_json(arch::layer_table(spec)));
  return j;
}

std::string facts_text(const arch::Spec& spec, const arch::Examination& f) {
  std::string text = "\nparameters  " + core::thousands(f.given.params) + "\nMACs        " +
                     core::thousands(f.given.macs) + "\nint8 flash  " + core::bytes_text(f.cost.constant_bytes) +
                     " of constants\nint8 RAM    " + core::bytes_text(f.plan.peak_bytes) + " arena; most at node " +
                     f.lowered.nodes[f.plan.peak_node].name + "\nhash        " + arch::hash(spec).hex() + "\n";
  for (const arch::Rule& rule : arch::rules()) {
    const auto violations = rule.check(spec);
    text += "rule        " + rule.name + ": " + (violations.empty() ? "holds" : "BROKEN") + "\n";
    for (const auto& v : violations) text += "            node " + v.node + ": " + v.what + "\n";
    if (!violations.empty()) text += "            (" + rule.why + ")\n";
  }
  return text;
}

}  // namespace

int cmd_describe(const Invocation& call) {
  const arch::Spec spec = find_network(call.subject, call.classes, call.input);
  if (call.format == "mermaid" || call.format == "dot") {
    std::fputs((call.format == "dot" ? arch::to_dot(spec) : arch::to_mermaid(spec)).c_str(), stdout);
    return 0;
  }
  const arch::Examination f = arch::examine(spec);
  if (call.format == "json") {
    std::fputs((facts_json(spec, f).dump(2) + "\n").c_str(), stdout);
    return 0;
  }
  print({spec.name + ", input " + arch::to_string(spec.input), arch::layer_table(spec), {}}, call.format);
  if (call.format != "csv") std::fputs(facts_text(spec, f).c_str(), stdout);
  return 0;
}

int cmd_zoo(const Invocation& call) {
  StageOutput out{"Reference networks",
                  {{{"name", "name", false},
                    {"input", "input", false},
                    {"classes", "classes"},
                    {"params", "params"},
                    {"macs", "MACs"},
                    {"about", "about", false},
                    {"source", "source", false}},
                   {}},
                  {}};
  for (const arch::ZooCard& card : arch::zoo()) {
    const arch::Analysis cost = arch::analyze(card.make(card.input, card.classes));
    out.table.rows.push_back({core::cell(card.name), core::cell(arch::to_string(card.input)), core::cell(card.classes),
                              core::cell(cost.params), core::cell(cost.macs), core::cell(card.about),
                              core::cell(card.source)});
  }
  print(out, call.format);
  return 0;
}

}  // namespace condenser::cli
