// `condenser card`: the model card of a run.

#include <map>

#include "cli/print.hpp"
#include "cli/run_identity.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/report_material.hpp"
#include "cli/tiles.hpp"
#include "cli/verb.hpp"
#include "condenser/core/text.hpp"
#include "condenser/report/model_card.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

struct Options {
  RunPlace run;
  std::string format = "markdown";
  fs::path out;  // empty: standard output
};

void add_options(Args& args, Options& o) {
  args.option("--format", o.format, "output format").choices({"markdown", "html", "json", "text"}).with_default();
  add_run_place(args, o.run, o.format);
  args.option("-o,--out", o.out, "file to write; standard output when absent");
}

// Of the training, that are not the default. The seed is a fact of the run.
std::vector<std::pair<std::string, std::string>> recipe_of(const RunConfig& c) {
  std::map<std::string, std::string> standard;
  for (const core::config::Option& option : config_options()) standard[option.path] = option.default_value;
  std::vector<std::pair<std::string, std::string>> recipe;
  for (const core::config::Setting& setting : c.settings) {
    if (setting.decides == core::config::Decides::Nothing || !setting.path.starts_with("train.")) continue;
    const auto found = standard.find(setting.path);
    if (found != standard.end() && found->second != setting.value)
      recipe.emplace_back(setting.path, core::printable(setting.value));
  }
  return recipe;
}

std::string item_text(const RunConfig& c) {
  if (layout_of(c.card) != Layout::Picture) return "clip of sound, as features";
  if (c.card.format == "features_int8") return "row of features";
  return c.card.shape.c == 1 ? "grey picture" : "picture";
}

core::Table machines_of(const std::optional<VerifyRecord>& record) {
  core::Table t{{{"machine", "machine", false},
                 {"instructions", "instructions"},
                 {"code_bytes", "code, bytes"},
                 {"constant_bytes", "constants, bytes"},
                 {"memory_bytes", "variables, bytes"},
                 {"stack_bytes", "stack, bytes"},
                 {"options", "compiler options", false}},
                {}};
  const auto known = [](int64_t n) { return n < 0 ? core::empty_cell() : core::cell(n); };
  if (record)
    for (const MachineRecord& m : record->machines)
      t.rows.push_back({core::cell(m.machine), known(m.instructions), known(m.code_bytes), known(m.constant_bytes),
                        known(m.memory_bytes), known(m.stack_bytes), core::cell(m.options)});
  return t;
}

std::string text_of(const report::Page& page, const std::string& format) {
  if (format == "html") return report::to_html(page);
  if (format == "json") return report::to_json(page);
  return format == "text" ? report::to_text(page) : report::to_markdown(page);
}

int card(const Options& o) {
  const RunConfig config = read_run_config(o.run.subject, o.run.overrides);
  const fs::path place = folder_of(config, o.run.subject, o.run.runs);
  if (!fs::exists(place)) throw core::Error(place.string() + ": no such run folder; run `condenser run` first");
  RunContext run(config, place);
  const report::Material material = read_material(run);
  if (!material.trained) throw core::Error(place.string() + ": nothing was trained yet; run `condenser train` first");
  const report::CardFacts facts{.source = config.card.source,
                                .license = config.card.license,
                                .item = item_text(config),
                                .classes = config.card.classes,
                                .independent = config.card.multi_label,
                                .training_items = material.trained->items.value_or(0),
                                .recipe = recipe_of(config),
                                .machines = machines_of(find_record<VerifyRecord>(place)),
                                .reproduce = "condenser run config.resolved.yaml"};
  const std::string text = text_of(report::model_card(material, facts), o.format);
  print_to(o.out, text);
  return 0;
}

}  // namespace

Verb card_verb() {
  return {.name = "card",
          .group = kRuns,
          .about = "the model card of a run: what it is for, accuracy, costs, limits",
          .example = "card runs/digits_quickstart -o model_card.md",
          .next = "Accuracy by class needs `condenser eval` first, costs verify.machines.",
          .declare = with_options<Options>(add_options, card)};
}

}  // namespace condenser::cli
