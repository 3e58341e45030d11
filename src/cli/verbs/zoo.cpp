// `condenser zoo`: the reference networks.

#include <cmath>
#include <optional>
#include <set>

#include "cli/networks.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/zoo.hpp"

namespace condenser::cli {

namespace {

struct Options {
  std::string format = "text";
  std::string task;  // part of a task's name; empty: any
  std::optional<double> max_params, max_macs;
  std::string input;       // "3x224x224"; empty: any
  bool published = false;  // comparators known by their numbers only
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  args.option("--task", o.task, "only this task, e.g. keyword");
  args.option("--max-params", o.max_params, "only up to so many parameters, e.g. 5e6").not_negative();
  args.option("--max-macs", o.max_macs, "only up to so many multiply-accumulates, e.g. 300e6").not_negative();
  args.option("--input", o.input, "only networks for this input, e.g. 3x224x224");
  args.flag("--published", o.published, "comparators of which only published numbers are at hand");
}

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

ZooFilter zoo_filter(const Options& o) {
  std::set<std::string> tasks;
  for (const arch::ZooCard& card : arch::zoo()) tasks.insert(card.task);
  for (const arch::PublishedRow& row : arch::published_rows()) tasks.insert(row.task);
  std::string known;
  bool matches = false;
  for (const std::string& task : tasks) {
    known += (known.empty() ? "" : ", ") + task;
    matches = matches || task.find(o.task) != std::string::npos;
  }
  if (!matches) throw core::ConfigError("--task " + o.task + ": no such task; expected part of one of " + known);
  ZooFilter filter{o.task, o.max_params, o.max_macs, std::nullopt};
  if (!o.input.empty()) filter.input = parse_shape(o.input);
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

int print_zoo(const Options& o) {
  const ZooFilter filter = zoo_filter(o);
  const std::string hint = "Accuracies are published top-1. Sources, claims, memory and what is unknown: --format json";
  StageOutput out{
      "Reference networks", {}, {hint, "Comparators known by their numbers only: condenser zoo --published"}};
  if (o.published) out = {"Comparators known by their published numbers only", {}, {hint}};
  out.table = o.published ? published_table(filter) : zoo_table(filter);
  if (o.format == "text" || o.format == "markdown") out.table = narrow(out.table);
  print(out, o.format);
  return 0;
}

}  // namespace

Verb zoo_verb() {
  return {.name = "zoo",
          .group = kNetworks,
          .about = "reference networks",
          .example = "zoo --task keyword",
          .next = "Each name is an argument of describe, draw, rules and compare.",
          .declare = with_options<Options>(add_options, print_zoo)};
}

}  // namespace condenser::cli
