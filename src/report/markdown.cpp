// The Markdown report. Numbers come from the run folder's files; nothing is measured here.

#include "condenser/report/markdown.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/core/table.hpp"
#include "condenser/report/confusion.hpp"

namespace condenser::report {

using core::cell;
using core::Table;
using nlohmann::ordered_json;
using search::Trial;
using search::TrialState;

namespace {

ordered_json parse(const std::string& text, const char* what) {
  if (text.empty()) return nullptr;
  try {
    return ordered_json::parse(text);
  } catch (const ordered_json::exception& e) {
    throw core::Error(std::string("report: ") + what + " is not valid JSON: " + e.what());
  }
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string accuracy_text(const ordered_json& a) {
  if (a.is_null()) return "not measured yet";
  return fixed(a.at("accuracy_percent"), 2) + " % (" + std::to_string(a.at("correct").get<int64_t>()) + " of " +
         std::to_string(a.at("total").get<int64_t>()) + "; 95 % interval " + fixed(a.at("low_percent"), 2) + " to " +
         fixed(a.at("high_percent"), 2) + ")";
}

std::string result_section(const ordered_json& s) {
  Table t{{{"what", "what", false}, {"value", "value", false}}, {}};
  const auto row = [&](const char* what, const std::string& value) { t.rows.push_back({cell(what), cell(value)}); };
  row("network", s.at("spec_hash"));
  row("float accuracy, test part", accuracy_text(s.at("float_accuracy")));
  row("int8 accuracy, test part", accuracy_text(s.at("int8_accuracy")));
  row("parameters", core::thousands(s.at("params")));
  row("MACs", core::thousands(s.at("macs")));
  row("flash (constants)", core::bytes_text(s.at("constant_bytes")));
  row("RAM (arena)", core::bytes_text(s.at("arena_bytes")));
  if (!s.at("netscore").is_null()) row("NetScore", fixed(s.at("netscore"), 2));
  if (!s.at("verified").is_null())
    row("export verified", std::string(s.at("verified").get<bool>() ? "yes" : "no") + ", on " +
                               std::to_string(s.at("verified_samples").get<int64_t>()) + " test images");
  return "## Result\n\n" + core::to_markdown(t);
}

std::string constraint_section(const ordered_json& s) {
  Table t{{{"rule", "rule", false},
           {"holds", "holds", false},
           {"value", "value", false},
           {"limit", "limit", false},
           {"why", "why the rule exists", false}},
          {}};
  for (const auto& v : s.at("verdicts")) {
    const std::string rule = v.at("rule");
    const arch::Rule* structural = arch::find_rule(rule);
    const std::string node = v.at("node");
    t.rows.push_back({cell(rule), cell(v.at("passed").get<bool>() ? "yes" : "no"),
                      cell((node.empty() ? "" : node + ": ") + v.at("value").get<std::string>()),
                      cell(v.at("limit").get<std::string>()), cell(structural ? structural->why : "")});
  }
  return "## Constraints on the winner\n\n" + core::to_markdown(t);
}

double metric(const Trial& trial, const std::string& name) {
  const auto found = trial.findings.metrics.find(name);
  return found == trial.findings.metrics.end() ? 0 : found->second;
}

core::Cell metric_cell(const Trial& trial, const std::string& name, int digits) {
  const auto found = trial.findings.metrics.find(name);
  if (found == trial.findings.metrics.end()) return core::empty_cell();
  return digits ? cell(found->second, digits) : cell(static_cast<int64_t>(found->second));
}

std::string search_section(const Material& m) {
  if (m.trials.empty()) return "";
  int64_t refused = 0, same = 0, failed = 0;
  std::vector<const Trial*> examined;
  for (const Trial& trial : m.trials) {
    refused += trial.state == TrialState::Refused && trial.same_as < 0;
    same += trial.same_as >= 0;
    failed += trial.state == TrialState::Failed;
    if (trial.state == TrialState::Done && trial.same_as < 0) examined.push_back(&trial);
  }
  std::stable_sort(examined.begin(), examined.end(),
                   [&](const Trial* a, const Trial* b) { return metric(*a, m.objective) > metric(*b, m.objective); });
  std::string text = "## Search\n\n" + std::to_string(m.trials.size()) +
                     " proposals: " + std::to_string(examined.size()) + " examined, " + std::to_string(refused) +
                     " refused before training, " + std::to_string(same) + " duplicates, " + std::to_string(failed) +
                     " failed. Objective: `" + m.objective + "`.\n\n";
  Table t{{{"trial", "trial"},
           {"val_accuracy_percent", "val. accuracy %"},
           {"params", "params"},
           {"macs", "MACs"},
           {"constant_bytes", "constants, bytes"},
           {"arena_bytes", "arena, bytes"},
           {"feasible", "feasible", false},
           {"choices", "choices", false}},
          {}};
  for (const Trial* trial : examined)
    t.rows.push_back({cell(trial->index), metric_cell(*trial, "val_accuracy", 2), metric_cell(*trial, "params", 0),
                      metric_cell(*trial, "macs", 0), metric_cell(*trial, "constant_bytes", 0),
                      metric_cell(*trial, "arena_bytes", 0), cell(trial->feasible() ? "yes" : "no"),
                      cell(m.space ? search::to_text(*m.space, trial->genotype) : "")});
  text += core::to_markdown(t);

  text += "\n### Refusals by rule\n\nA candidate counts once for each rule it breaks.\n\n";
  Table r{{{"rule", "rule", false}, {"refused", "refused"}, {"example", "example", false}}, {}};
  for (const auto& [rule, count] : search::refusals_by_rule(m.trials)) {
    std::string example;
    for (const Trial& trial : m.trials)
      for (const auto& v : trial.verdicts)
        if (example.empty() && !v.passed && v.rule == rule)
          example = "trial " + std::to_string(trial.index) + (v.node.empty() ? "" : ", node " + v.node) + ": " +
                    v.value + "; limit " + v.limit;
    r.rows.push_back({cell(rule), cell(count), cell(example)});
  }
  text += r.rows.empty() ? "No candidate was refused.\n" : core::to_markdown(r);

  text += "\n### Not dominated (accuracy against MACs)\n\n";
  Table p{{{"trial", "trial"}, {"macs", "MACs"}, {"val_accuracy_percent", "val. accuracy %"}, {"params", "params"}},
          {}};
  for (const Trial* trial : search::pareto_front(m.trials, m.objective, "macs"))
    p.rows.push_back({cell(trial->index), metric_cell(*trial, "macs", 0), metric_cell(*trial, "val_accuracy", 2),
                      metric_cell(*trial, "params", 0)});
  return text + core::to_markdown(p) + "\n";
}

std::string winner_section(const arch::Design& winner) {
  std::string text = "## The winner\n\n```mermaid\n" + arch::to_mermaid(winner.spec) +
                     "```\n\n### Layers as exported\n\n" + core::to_markdown(arch::layer_table(winner.lowered));
  text += "\nArena " + core::bytes_text(winner.plan.peak_bytes) + "; most live bytes (" +
          core::thousands(winner.plan.peak_live_bytes) + ") at node `" + winner.peak_node() + "`.\n";
  return text;
}

std::string training_section(const std::string& csv, bool curves) {
  if (csv.empty()) return "";
  Table t;
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, ',');) fields.push_back(field);
    if (t.columns.empty()) {
      for (const std::string& f : fields) t.columns.push_back({f, f});
      continue;
    }
    fields.resize(t.columns.size());
    std::vector<core::Cell> row;
    for (const std::string& f : fields) row.push_back({f, f.size() > 9 ? f.substr(0, 9) : f});
    t.rows.push_back(std::move(row));
  }
  return std::string("## Training\n\n") + (curves ? "![learning curves](curves.svg)\n\n" : "") + core::to_markdown(t);
}

// Of an evaluation of this network; an older one's is passed over.
std::string classes_section(const Material& m, const ordered_json& summary) {
  const ordered_json e = parse(m.evaluation_json, "evaluation.json");
  if (e.is_null() || e.at("spec_hash") != summary.at("spec_hash") || e.at("confusion").empty()) return "";
  const Confusion confusion{e.at("classes"), e.at("confusion")};
  std::string text = "## Classes, " + e.at("part").get<std::string>() + "\n\n" + accuracy_text(e) + ".\n\n" +
                     core::to_markdown(per_class_table(confusion)) + "\n";
  const std::vector<std::string> worst = worst_mistakes(confusion, 5);
  for (const std::string& mistake : worst) text += "- " + core::markdown_text(mistake) + "\n";
  text += (worst.empty() ? "" : "\n") + ("![confusion matrix](" + m.evaluation_folder + "/confusion.svg)\n");
  if (m.mistakes) text += "\n![most confident mistakes](" + m.evaluation_folder + "/mistakes.png)\n";
  return text;
}

std::string int8_section(const ordered_json& q) {
  if (q.is_null()) return "";
  Table t{{{"node", "node", false},
           {"snr_db", "SNR, dB"},
           {"saturated_percent", "saturated %"},
           {"scale", "scale"},
           {"zero_point", "zero point"}},
          {}};
  for (const auto& n : q.at("nodes"))
    t.rows.push_back({cell(n.at("node").get<std::string>()),
                      n.at("snr_db").is_null() ? core::empty_cell() : cell(n.at("snr_db").get<double>(), 1),
                      cell(100 * n.at("saturated_fraction").get<double>(), 3), cell(n.at("scale").get<double>(), 6),
                      cell(n.at("zero_point").get<int64_t>())});
  return "## Int8\n\nRounding profile `" + q.at("rounding").get<std::string>() + "`, observer `" +
         q.at("observer").get<std::string>() + "`, " + std::to_string(q.at("calibration_samples").get<int64_t>()) +
         " calibration images.\n\n" + core::to_markdown(t);
}

std::string proof_section(const ordered_json& v) {
  if (v.is_null()) return "";
  Table t{{{"target", "target", false},
           {"check", "check", false},
           {"result", "result", false},
           {"samples", "samples"},
           {"differing", "differing values"},
           {"accuracy_percent", "accuracy %"}},
          {}};
  for (const auto& c : v.at("checks"))
    t.rows.push_back({cell(c.at("target").get<std::string>()), cell(c.at("name").get<std::string>()),
                      cell(!c.at("ran").get<bool>()     ? "skipped: " + c.at("detail").get<std::string>()
                           : c.at("passed").get<bool>() ? "equal"
                                                        : "DIFFERENT"),
                      cell(c.at("samples").get<int64_t>()), cell(c.at("differing_values").get<int64_t>()),
                      cell(c.at("accuracy_percent").get<double>(), 2)});
  return "## Proof of the export\n\n" + core::to_markdown(t);
}

std::string environment_section(const ordered_json& e) {
  if (e.is_null()) return "";
  Table t{{{"what", "what", false}, {"value", "value", false}}, {}};
  for (const auto& [key, value] : e.items())
    if (key != "schema_version")
      t.rows.push_back({cell(key), cell(value.is_string() ? value.get<std::string>() : value.dump())});
  return "## Environment\n\n" + core::to_markdown(t);
}

}  // namespace

std::string to_markdown(const Material& m) {
  const ordered_json summary = parse(m.summary_json, "summary.json");
  std::string text = "# " + m.name + "\n\nData: " + m.dataset + "\n\n";
  for (const std::string& section :
       {result_section(summary), constraint_section(summary), search_section(m), winner_section(m.winner),
        training_section(m.metrics_csv, m.curves), classes_section(m, summary),
        int8_section(parse(m.quant_report_json, "quant_report.json")),
        proof_section(parse(m.verify_json, "verify.json")), environment_section(parse(m.env_json, "env.json"))})
    if (!section.empty()) text += section + "\n";
  return text;
}

}  // namespace condenser::report
