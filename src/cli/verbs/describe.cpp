// `condenser describe`: a network's layers, totals, memory and rule verdicts.

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
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

nlohmann::ordered_json shape_json(const arch::Shape& s) { return nlohmann::ordered_json::array({s.c, s.h, s.w}); }

// ", outputs fc 10x1x1, s1 16x8x8"; nothing for the last node alone.
std::string outputs_text(const arch::Design& d) {
  if (!d.spec.names_outputs()) return "";
  std::string text = d.spec.output_count() > 1 ? ", outputs " : ", output ";
  for (size_t k = 0; k < d.spec.output_count(); ++k)
    text += (k ? ", " : "") + d.spec.node(d.spec.output(k)).name + " " + arch::to_string(d.output(k));
  return text;
}

nlohmann::ordered_json facts_json(const arch::Design& d) {
  const arch::Spec& spec = d.spec;
  nlohmann::ordered_json j;
  j["schema_version"] = 1;
  j["name"] = spec.name;
  j["hash"] = arch::hash(spec).hex();
  j["input"] = shape_json(spec.input);
  j["outputs"] = nlohmann::ordered_json::array();
  for (size_t k = 0; k < spec.output_count(); ++k)
    j["outputs"].push_back({{"name", spec.node(spec.output(k)).name}, {"shape", shape_json(d.output(k))}});
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

struct Options {
  NetworkChoice network;
  std::string format = "text";
  std::filesystem::path out;  // empty: standard output only
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format, {"mermaid", "dot"});
  add_network(args, o.network);
  args.option("-o,--out", o.out, "write the network as a spec file too (YAML, or JSON when it ends in .json)");
}

int describe(const Options& o) {
  const arch::Spec spec = find_network(o.network);
  if (!o.out.empty()) arch::write_spec(o.out, spec);
  if (o.format == "mermaid" || o.format == "dot") {
    core::write_output(o.format == "dot" ? arch::to_dot(spec) : arch::to_mermaid(spec));
    return 0;
  }
  const arch::Design design = arch::design_of(spec);
  if (o.format == "json") {
    print_json(facts_json(design));
    return 0;
  }
  const std::string title = spec.name + ", input " + arch::to_string(spec.input) + outputs_text(design);
  print({title, arch::layer_table(spec), {}}, o.format);
  if (o.format != "csv") core::write_output(facts_text(design));
  return 0;
}

}  // namespace

Verb describe_verb() {
  return {.name = "describe",
          .group = kNetworks,
          .about = "layers, size, memory and rules of a network",
          .example = "describe dcac_sca_325mf --classes 10",
          .next = "As a picture: condenser draw <network> -o network.svg",
          .declare = with_options<Options>(add_options, describe)};
}

}  // namespace condenser::cli
