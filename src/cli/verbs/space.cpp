// `condenser space`: what a space of networks offers, and what the gate leaves of it.

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "cli/inputs.hpp"
#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/shared_options.hpp"
#include "cli/verb.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/report/picture.hpp"
#include "condenser/search/survey.hpp"
#include "condenser/search/table.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using search::Decision;
using search::Space;
using search::Survey;

constexpr std::array kQuantiles = {0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0};
constexpr std::array kQuantileNames = {"min", "p5", "p25", "median", "p75", "p95", "max"};

struct Options {
  std::string format = "text";
  std::string what;                // show
  std::vector<std::string> words;  // a file, then overrides
  std::string input = "3x32x32";
  int classes = 10;
  fs::path gate;
  int samples = 3;
  int count = 1000;
  int seed = 1;
  fs::path draw;  // folder for pictures; empty: none
};

void add_options(Args& args, Options& o) {
  args.option("--format", o.format, "output format").choices({"text", "json"}).with_default();
  args.option("what", o.what, "show: size, decisions, costs, the share that passes the gate, drawn samples")
      .required()
      .choices({"show"});
  args.option("file", o.words,
              "a space (search/spaces/*.yaml), a run.yaml or a run folder, then overrides such as stages=[2]")
      .required()
      .value_name("FILE [KEY=VALUE ...]");
  args.option("--input", o.input, "of a space file: channels x height x width of the data").with_default();
  args.option("--classes", o.classes, "of a space file: classes of the data").range(1, 65536).with_default();
  args.option("--gate", o.gate, "of a space file: the budget that networks keep (search/budgets/*.yaml)");
  args.option("--samples", o.samples, "networks to show").range(0, 1000).with_default();
  args.option("--count", o.count, "networks that shares and costs are measured on").range(1, 1'000'000).with_default();
  args.option("--seed", o.seed, "of the draws").range(0, 2147483647).with_default();
  args.option("--draw", o.draw, "folder for a picture of each network shown");
}

// What is looked at, from a run or from files of its own.
struct Subject {
  std::unique_ptr<Space> space;
  search::SpaceContext context;
  std::unique_ptr<search::Gate> gate;
};

Subject of_run(const std::string& file, const std::vector<std::string>& overrides) {
  RunConfig config = read_run_config(file, overrides);
  if (!config.space)
    throw core::ConfigError(file + ": names a network of its own (spec); expected a run that searches");
  Subject s;
  s.context = space_context(config.card);
  s.gate = std::make_unique<search::Gate>(make_gate(config));
  s.space = std::move(config.space);
  return s;
}

Subject of_space(core::config::Reader& reader, const Options& o) {
  Subject s;
  std::string input = o.input;
  std::replace(input.begin(), input.end(), ',', 'x');
  s.context = space_context(card_like(parse_shape(input), o.classes, reader.has("front_end")));
  s.space = search::make_space(reader, s.context);
  reader.finish();
  search::GateOptions gate;
  if (!o.gate.empty()) {
    auto budget = core::config::Reader::from_file(o.gate);
    search::read_options(budget, gate);
    budget.finish();
    search::fit_to_data(gate, "", s.context.input);
  }
  std::vector<std::string> targets = {"c99"};
  if (search::is_table(*s.space)) targets.clear();  // it has no networks
  s.gate = std::make_unique<search::Gate>(make_gate(gate, targets));
  return s;
}

Subject subject_of(const Options& o) {
  const std::string& file = o.words.front();
  const std::vector<std::string> overrides(o.words.begin() + 1, o.words.end());
  if (fs::is_directory(file)) return of_run(file, overrides);
  if (!fs::exists(file)) throw core::ConfigError(file + ": no such file; expected a space, a run.yaml or a run folder");
  auto reader = core::config::Reader::from_file(file, overrides);
  const bool run = reader.has("dataset") || reader.has("condenser");
  return run ? of_run(file, overrides) : of_space(reader, o);
}

// ---- for people ----

std::string size_text(const Space& space) {
  const search::SpaceSize size = search::size_of(space);
  const auto count = [](double n) {
    return n < 1e15 ? core::thousands(std::lround(n)) : "10^" + core::fixed(std::log10(n), 1);
  };
  std::string text = count(size.legal) + " genotypes";
  if (size.legal < size.genotypes)
    text += size.exact ? " (" + count(size.genotypes) + " without the forbidden combinations)"
                       : " (an estimate: " + core::significant(100 * size.legal / size.genotypes, 3) + " % of " +
                             count(size.genotypes) + " are legal)";
  return text;
}

core::Table decision_table(const Space& space) {
  core::Table t{{{"decision", "decision", false}, {"options", "options", false}}, {}};
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    const Decision& d = space.decisions()[i];
    std::vector<std::string> options;
    for (int choice = 0; choice < static_cast<int>(d.options.size()); ++choice) {
      const double weight = space.prior().empty() ? 1 : space.prior()[i][static_cast<size_t>(choice)];
      options.push_back(search::option_text(d, choice) + (weight == 1 ? "" : " (x" + core::number(weight) + ")"));
    }
    t.rows.push_back({core::cell(d.name), core::cell(core::join(options, ", "))});
  }
  return t;
}

core::Table cost_table(const Survey& survey, bool passed) {
  core::Table t{{{"cost", "cost", false}}, {}};
  for (const char* name : kQuantileNames) t.columns.push_back({name, name});
  for (const Survey::Costs& costs : survey.costs) {
    const std::vector<double>& values = passed ? costs.passed : costs.drawn;
    if (values.empty()) continue;
    t.rows.push_back({core::cell(costs.metric->title)});
    for (const double q : kQuantiles) t.rows.back().push_back(core::cell(std::lround(search::quantile(values, q))));
  }
  return t;
}

std::string share_text(const Survey& s) {
  return std::to_string(s.passed) + " of " + std::to_string(s.drawn) +
         " drawn networks pass the gate: " + core::fixed(100 * s.share(), 1) + " % (standard error " +
         core::fixed(100 * s.deviation(), 1) + ")";
}

core::Table refusal_table(const Survey& survey) {
  core::Table t{{{"rule", "refused by", false}, {"refused", "networks"}, {"share", "share %"}}, {}};
  for (const auto& [rule, count] : survey.refused)
    t.rows.push_back({core::cell(rule), core::cell(count), core::cell(100.0 * count / survey.drawn, 1)});
  return t;
}

std::string sample_text(const Space& space, const search::Findings& known, const search::Genotype& genotype) {
  std::string text = search::to_text(space, genotype) + "\n   ";
  for (const search::Metric& metric : search::metrics()) {
    const auto value = known.metrics.find(metric.name);
    if (value != known.metrics.end())
      text += " " + metric.title + " " + core::thousands(std::lround(value->second)) + ";";
  }
  text.back() = '\n';
  return text;
}

// ---- for programs ----

ordered_json quantiles_json(const std::vector<double>& values) {
  ordered_json j;
  for (size_t i = 0; i < kQuantiles.size(); ++i)
    j[kQuantileNames[i]] =
        values.empty() ? ordered_json(nullptr) : ordered_json(search::quantile(values, kQuantiles[i]));
  return j;
}

ordered_json space_json(const Space& space) {
  ordered_json j;
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    const Decision& d = space.decisions()[i];
    ordered_json options = ordered_json::array();
    for (int choice = 0; choice < static_cast<int>(d.options.size()); ++choice)
      options.push_back(search::option_text(d, choice));
    j["decisions"].push_back({{"name", d.name}, {"options", options}});
    if (!space.prior().empty()) j["decisions"].back()["weights"] = space.prior()[i];
  }
  j["forbidden"] = ordered_json::array();
  for (const search::Combination& row : space.forbidden()) j["forbidden"].push_back(search::to_text(space, row));
  const search::SpaceSize size = search::size_of(space);
  j["genotypes"] = size.genotypes;
  j["legal"] = size.legal;
  j["exact"] = size.exact;
  return j;
}

ordered_json survey_json(const Survey& survey) {
  ordered_json j{{"drawn", survey.drawn},
                 {"passed", survey.passed},
                 {"share", survey.share()},
                 {"standard_error", survey.deviation()},
                 {"refused", ordered_json::object()},
                 {"costs", ordered_json::object()}};
  for (const auto& [rule, count] : survey.refused) j["refused"][rule] = count;
  for (const Survey::Costs& costs : survey.costs)
    j["costs"][costs.metric->name] = {{"drawn", quantiles_json(costs.drawn)}, {"passed", quantiles_json(costs.passed)}};
  return j;
}

ordered_json sample_json(const Space& space, const search::Candidate& candidate, const search::Findings& known,
                         const search::Genotype& genotype) {
  ordered_json j{{"genotype", search::to_text(space, genotype)}, {"hash", search::identity(candidate).hex()}};
  for (const search::Metric& metric : search::metrics())
    if (const auto value = known.metrics.find(metric.name); value != known.metrics.end())
      j[metric.name] = value->second;
  return j;
}

void draw_picture(const search::Candidate& candidate, const fs::path& file) {
  if (candidate.spec.nodes.empty())
    throw core::ConfigError("--draw: networks of a table have no layers; expected a space of networks");
  core::write_atomic(file, report::to_svg(report::picture_of(candidate.spec, report::Measure::Macs)));
}

int show(const Options& o) {
  const Subject s = subject_of(o);
  const Space& space = *s.space;
  core::Rng rng(static_cast<uint64_t>(o.seed));
  const Survey survey = search::survey(space, *s.gate, o.count, rng);
  core::Rng sample_rng(static_cast<uint64_t>(o.seed), 1);
  ordered_json samples = ordered_json::array();
  std::string texts;
  for (int i = 1; i <= o.samples; ++i) {
    const search::Genotype genotype = search::sample(space, sample_rng);
    const search::Candidate candidate = space.expand(genotype);
    search::Findings known;
    s.gate->add_costs(candidate, known);
    if (!o.draw.empty()) draw_picture(candidate, o.draw / ("sample_" + std::to_string(i) + ".svg"));
    if (o.format == "json")
      samples.push_back(sample_json(space, candidate, known, genotype));
    else
      texts += std::to_string(i) + ". " + sample_text(space, known, genotype);
  }
  if (o.format == "json") {
    ordered_json json{{"schema_version", 1},
                      {"file", o.words.front()},
                      {"input", arch::to_string(s.context.input)},
                      {"classes", s.context.classes}};
    json.update(space_json(space));
    json["survey"] = survey_json(survey);
    json["samples"] = samples;
    print_json(json);
    return 0;
  }
  StageOutput decisions{core::printable(o.words.front()) + ", input " + arch::to_string(s.context.input) + ", " +
                            std::to_string(s.context.classes) +
                            " classes: " + std::to_string(space.decisions().size()) + " decisions, " + size_text(space),
                        decision_table(space),
                        {}};
  for (const search::Combination& row : space.forbidden())
    decisions.lines.push_back("forbidden together: " + search::to_text(space, row));
  print(decisions, "text");
  if (!survey.costs.empty())
    print({"\nCosts of " + std::to_string(o.count) + " drawn networks", cost_table(survey, false), {}}, "text");
  StageOutput gate{"\n" + share_text(survey), refusal_table(survey), {}};
  if (gate.table.rows.empty())
    core::write_output(gate.title + "\n");
  else
    print(gate, "text");
  if (survey.passed > 0 && survey.passed < survey.drawn && !survey.costs.empty())
    print({"\nCosts of those that pass", cost_table(survey, true), {}}, "text");
  if (!texts.empty()) core::write_output("\nDrawn\n" + texts);
  return 0;
}

}  // namespace

Verb space_verb() {
  return {.name = "space",
          .group = kNetworks,
          .about = "show a space of networks: size, costs, share that passes the gate",
          .example = "space show search/spaces/columns_digits.yaml --input 1x28x28 --gate search/budgets/mcu_32k.yaml",
          .next = "A run searches it: space: search/spaces/<name>.yaml in a run.yaml",
          .declare = with_options<Options>(add_options, show)};
}

}  // namespace condenser::cli
