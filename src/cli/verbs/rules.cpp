// `condenser rules`: the certificate of the design constraints of one network, rule by rule with the evidence.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/rules.hpp"

namespace condenser::cli {
namespace {

nlohmann::ordered_json certificate(const arch::Spec& spec) {
  nlohmann::ordered_json j{{"schema_version", 1}, {"name", spec.name}, {"hash", arch::hash(spec).hex()}};
  bool all = true;
  for (const arch::Rule& rule : arch::rules()) {
    nlohmann::ordered_json broken = nlohmann::ordered_json::array();
    for (const auto& v : rule.check(spec)) broken.push_back({{"node", v.node}, {"what", v.what}});
    all = all && broken.empty();
    j["rules"].push_back({{"rule", rule.name},
                          {"holds", broken.empty()},
                          {"why", rule.why},
                          {"evidence", rule.evidence(spec)},
                          {"violations", broken}});
  }
  j["holds"] = all;
  return j;
}

struct Options {
  NetworkChoice network;
  std::string format = "text";
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  add_network(args, o.network);
}

int print_rules(const Options& o) {
  const arch::Spec spec = find_network(o.network);
  const nlohmann::ordered_json j = certificate(spec);
  // For scripts: a network that does not keep the constraints is not feasible.
  const int status = j.at("holds").get<bool>() ? 0 : static_cast<int>(core::ExitCode::NoFeasible);
  if (o.format == "json") {
    print_json(j);
    return status;
  }
  StageOutput out{
      spec.name + ", input " + arch::to_string(spec.input) + ", hash " + j.at("hash").get<std::string>(),
      {{{"rule", "rule", false}, {"holds", "holds", false}, {"node", "node", false}, {"what", "evidence", false}}, {}},
      {}};
  const auto row = [&](const std::string& rule, const char* holds, const std::string& node, const std::string& what) {
    out.table.rows.push_back({core::cell(rule), core::cell(holds), core::cell(node), core::cell(what)});
  };
  for (const auto& rule : j.at("rules")) {
    const std::string name = rule.at("rule");
    row(name, rule.at("holds").get<bool>() ? "yes" : "NO", "", rule.at("evidence"));
    for (const auto& v : rule.at("violations")) row(name, "NO", v.at("node"), v.at("what"));
    if (!rule.at("holds").get<bool>()) out.lines.push_back(name + ": " + rule.at("why").get<std::string>());
  }
  out.lines.push_back(j.at("holds").get<bool>() ? "every structural rule holds" : "not every structural rule holds");
  print(out, o.format);
  return status;
}

}  // namespace

Verb rules_verb() {
  return {.name = "rules",
          .group = kNetworks,
          .about = "the certificate of the design constraints, with evidence",
          .example = "rules resnet50",
          .next = "A run's gate chooses which of them are demanded: gate.rules.",
          .declare = with_options<Options>(add_options, print_rules)};
}

}  // namespace condenser::cli
