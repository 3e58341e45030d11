// `condenser describe`: a network's layers, totals, memory and rule verdicts; `condenser zoo`: the reference networks.

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/stages.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/output.hpp"

namespace condenser::cli {

namespace {

// The card of a reference network that is described as it was published, or null: at another input or width of the
// output its published numbers are not this network's.
const arch::ZooCard* card_of(const arch::Design& d) {
  for (const arch::ZooCard& card : arch::zoo()) {
    const bool same = card.name == d.spec.name && card.input == d.spec.input;
    if (same && d.output().elements() == card.classes) return &card;
  }
  return nullptr;
}

std::optional<double> netscore_of(const arch::ZooCard* card, const arch::Design& d) {
  if (card == nullptr || !card->accuracy_percent) return std::nullopt;
  return arch::netscore(*card->accuracy_percent, d.cost.params, d.cost.macs);
}

nlohmann::ordered_json facts_json(const arch::Design& d) {
  const arch::Spec& spec = d.spec;
  nlohmann::ordered_json j;
  j["schema_version"] = 1;
  j["name"] = spec.name;
  j["hash"] = arch::hash(spec).hex();
  j["input"] = {spec.input.c, spec.input.h, spec.input.w};
  j["params"] = d.cost.params;
  j["macs"] = d.cost.macs;
  j["constant_bytes"] = d.lowered_cost.constant_bytes;
  j["arena_bytes"] = d.plan.peak_bytes;
  j["live_bytes"] = d.plan.peak_live_bytes;
  j["peak_node"] = d.peak_node();
  const arch::ZooCard* card = card_of(d);
  const auto netscore = netscore_of(card, d);
  j["netscore"] = netscore ? nlohmann::ordered_json(*netscore) : nlohmann::ordered_json(nullptr);
  j["published_accuracy_percent"] = card && card->accuracy_percent ? nlohmann::ordered_json(*card->accuracy_percent)
                                                                   : nlohmann::ordered_json(nullptr);
  for (const arch::Rule& rule : arch::rules()) {
    nlohmann::ordered_json broken = nlohmann::ordered_json::array();
    for (const auto& v : rule.check(spec)) broken.push_back({{"node", v.node}, {"what", v.what}});
    j["rules"].push_back({{"rule", rule.name}, {"holds", broken.empty()}, {"violations", broken}});
  }
  j["layers"] = nlohmann::ordered_json::parse(core::to_json(arch::layer_table(spec)));
  return j;
}

std::string card_text(const arch::ZooCard* card, const arch::Design& d) {
  if (card == nullptr) return "";
  std::string text;
  const auto line = [&](const char* what, const std::string& value) {
    if (!value.empty()) text += what + value + "\n";
  };
  if (card->accuracy_percent) {
    line("published   ", core::cell(*card->accuracy_percent, 2).text + " % top-1, " + card->data);
    line("NetScore    ", core::cell(*netscore_of(card, d), 2).text + " (from the published accuracy)");
  }
  line("source      ", card->source);
  line("claims      ", card->claims);
  line("unknown     ", card->unknown);
  return text;
}

std::string facts_text(const arch::Design& d) {
  const arch::Spec& spec = d.spec;
  std::string text = "\nparameters  " + core::thousands(d.cost.params) + "\nMACs        " +
                     core::thousands(d.cost.macs) + "\nint8 flash  " + core::bytes_text(d.lowered_cost.constant_bytes) +
                     " of constants\nint8 RAM    " + core::bytes_text(d.plan.peak_bytes) + " arena; at least " +
                     core::thousands(d.plan.peak_live_bytes) + " are live at node " + d.peak_node() + "\nhash        " +
                     arch::hash(spec).hex() + "\n" + card_text(card_of(d), d);
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
  if (!call.out.empty()) arch::write_spec(call.out, spec);
  if (call.format == "mermaid" || call.format == "dot") {
    core::write_output((call.format == "dot" ? arch::to_dot(spec) : arch::to_mermaid(spec)));
    return 0;
  }
  const arch::Design design = arch::design_of(spec);
  if (call.format == "json") {
    print_json(facts_json(design));
    return 0;
  }
  print({spec.name + ", input " + arch::to_string(spec.input), arch::layer_table(spec), {}}, call.format);
  if (call.format != "csv") core::write_output(facts_text(design));
  return 0;
}

namespace {

// What `condenser zoo` was asked for.
struct ZooFilter {
  std::string task;
  std::optional<double> max_params, max_macs;
  std::optional<arch::Shape> input;

  // An unknown value does not pass a limit on it.
  bool passes(const std::string& its_task, const std::optional<arch::Shape>& its_input, std::optional<double> params,
              std::optional<double> macs) const {
    const auto within = [](std::optional<double> value, std::optional<double> most) {
      return !most || (value && *value <= *most);
    };
    return its_task.find(task) != std::string::npos && (!input || its_input == input) && within(params, max_params) &&
           within(macs, max_macs);
  }
};

ZooFilter zoo_filter(const Invocation& call) {
  std::set<std::string> tasks;
  for (const arch::ZooCard& card : arch::zoo()) tasks.insert(card.task);
  for (const arch::PublishedRow& row : arch::published_rows()) tasks.insert(row.task);
  std::string known;
  bool matches = false;
  for (const std::string& task : tasks) {
    known += (known.empty() ? "" : ", ") + task;
    matches = matches || task.find(call.task) != std::string::npos;
  }
  if (!matches) throw core::ConfigError("--task " + call.task + ": no such task; expected part of one of " + known);
  ZooFilter filter{call.task, call.max_params, call.max_macs, std::nullopt};
  if (!call.input.empty()) filter.input = parse_shape(call.input);
  return filter;
}

core::Cell text_cell(const std::string& text) { return text.empty() ? core::empty_cell() : core::cell(text); }

core::Cell percent_cell(std::optional<double> value) { return value ? core::cell(*value, 2) : core::empty_cell(); }

core::Cell kilobytes_cell(std::optional<double> value) { return value ? core::cell(*value, 0) : core::empty_cell(); }

std::optional<double> from_millions(std::optional<double> value) {
  return value ? std::optional(*value * 1e6) : std::nullopt;
}

core::Cell count_cell(std::optional<double> value) {
  return value ? core::cell(static_cast<int64_t>(std::llround(*value))) : core::empty_cell();
}

core::Table zoo_table(const ZooFilter& filter) {
  core::Table table{{{"name", "name", false},
                     {"family", "family", false},
                     {"task", "task", false},
                     {"data", "data", false},
                     {"input", "input", false},
                     {"classes", "classes"},
                     {"params", "params"},
                     {"macs", "MACs"},
                     {"int8_constant_bytes", "int8 flash"},
                     {"int8_arena_bytes", "int8 RAM"},
                     {"accuracy_percent", "float %"},
                     {"int8_accuracy_percent", "int8 %"},
                     {"published_size", "published size", false},
                     {"claims", "claims", false},
                     {"about", "about", false},
                     {"source", "source", false},
                     {"unknown", "unknown", false}},
                    {}};
  for (const arch::ZooCard& card : arch::zoo()) {
    const arch::Design d = arch::design_of(card.make(card.input, card.classes));
    const arch::Analysis& cost = d.cost;
    if (!filter.passes(card.task, card.input, static_cast<double>(cost.params), static_cast<double>(cost.macs)))
      continue;
    table.rows.push_back(
        {core::cell(card.name), core::cell(card.family), core::cell(card.task), text_cell(card.data),
         core::cell(arch::to_string(card.input)), core::cell(card.classes), core::cell(cost.params),
         core::cell(cost.macs), core::cell(d.lowered_cost.constant_bytes), core::cell(d.plan.peak_bytes),
         percent_cell(card.accuracy_percent), percent_cell(card.int8_accuracy_percent), text_cell(card.published_size),
         text_cell(card.claims), core::cell(card.about), core::cell(card.source), text_cell(card.unknown)});
  }
  return table;
}

core::Table published_table(const ZooFilter& filter) {
  core::Table table{{{"name", "name", false},
                     {"task", "task", false},
                     {"data", "data", false},
                     {"input", "input", false},
                     {"params", "params"},
                     {"macs", "MACs"},
                     {"sram_kb", "SRAM kB"},
                     {"flash_kb", "flash kB"},
                     {"accuracy_percent", "float %"},
                     {"int8_accuracy_percent", "int8 %"},
                     {"claims", "claims", false},
                     {"source", "source", false}},
                    {}};
  for (const arch::PublishedRow& row : arch::published_rows()) {
    const auto params = from_millions(row.params_millions), macs = from_millions(row.macs_millions);
    if (!filter.passes(row.task, row.input, params, macs)) continue;
    table.rows.push_back({core::cell(row.name), core::cell(row.task), core::cell(row.data),
                          row.input ? core::cell(arch::to_string(*row.input)) : core::empty_cell(), count_cell(params),
                          count_cell(macs), kilobytes_cell(row.sram_kb), kilobytes_cell(row.flash_kb),
                          percent_cell(row.accuracy_percent), percent_cell(row.int8_accuracy_percent),
                          text_cell(row.claims), core::cell(row.source)});
  }
  return table;
}

// Columns of long text are for programs and files; a terminal gets the others.
core::Table narrow(const core::Table& table) {
  const std::set<std::string> left_out{
      "data", "int8_constant_bytes", "int8_arena_bytes", "published_size", "claims", "about", "source", "unknown"};
  core::Table result;
  result.rows.resize(table.rows.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (left_out.contains(table.columns[c].key)) continue;
    result.columns.push_back(table.columns[c]);
    for (size_t r = 0; r < table.rows.size(); ++r) result.rows[r].push_back(table.rows[r][c]);
  }
  return result;
}

}  // namespace

int cmd_zoo(const Invocation& call) {
  const ZooFilter filter = zoo_filter(call);
  const std::string hint = "Accuracies are published top-1. Sources, claims, memory and what is unknown: --format json";
  StageOutput out{
      "Reference networks", {}, {hint, "Comparators known by their numbers only: condenser zoo --published"}};
  if (call.published) out = {"Comparators known by their published numbers only", {}, {hint}};
  out.table = call.published ? published_table(filter) : zoo_table(filter);
  if (call.format == "text" || call.format == "markdown") out.table = narrow(out.table);
  print(out, call.format);
  return 0;
}

}  // namespace condenser::cli
