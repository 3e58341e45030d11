// `condenser bench search`: how many evaluations a strategy of the search needs on a look-up table.

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verbs/bench.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using nlohmann::ordered_json;
using search::SearchBenchOptions;
using search::SearchBenchResult;

// The bounds for which figures of others are known, where a constrained search names none.
constexpr double kKnownParams = 400'000, kKnownMacs = 50e6;

// "val_accuracy >= 90"
search::Constraint constraint_of(const std::string& text) {
  const size_t end = text.find_first_of(" <>=");
  return search::Constraint::parse(text.substr(0, end), end == std::string::npos ? "" : text.substr(end));
}

std::vector<SearchBenchOptions> cases_of(const SearchBenchOptions& o) {
  if (o.protocol != "constrained" || o.max_params > 0 || o.max_macs > 0) return {o};
  std::vector<SearchBenchOptions> cases(2, o);
  cases[0].max_params = kKnownParams;
  cases[1].max_macs = kKnownMacs;
  return cases;
}

ordered_json json_of(const SearchBenchOptions& o, const SearchBenchResult& r) {
  ordered_json j{{"table", o.table.string()}, {"protocol", o.protocol}, {"generator", o.generator},
                 {"batch", o.batch},          {"seeds", o.seeds},       {"trials", o.trials}};
  j["objective"] = o.objective.text();
  if (!o.objective.constraints.empty()) j["constraints"] = ordered_json::array();
  for (const search::Constraint& constraint : o.objective.constraints) j["constraints"].push_back(constraint.text());
  if (o.max_params > 0) j["max_params"] = o.max_params;
  if (o.max_macs > 0) j["max_macs"] = o.max_macs;
  if (!o.rungs.empty()) j["rungs"] = o.rungs;
  if (!o.learn_from.empty()) {
    j["learn_from"] = o.learn_from.string();
    j["lessons_kept"] = r.lessons_kept;
  }
  j["best_reward"] = r.best_reward;
  j["median_evaluations"] = r.median_evaluations;
  j["mean_evaluations"] = r.mean_evaluations;
  j["deviation_of_mean"] = r.deviation_of_mean;
  j["hit_share"] = r.hit_share;
  j["mean_test"] = r.mean_test;
  j["median_test"] = r.median_test;
  j["interval_of_mean_test"] = r.interval_of_mean_test;
  ordered_json after;
  for (const auto& [n, best] : r.best_after) after[std::to_string(n)] = best;
  j["best_after"] = after;
  j["milliseconds_per_proposal"] = r.milliseconds_per_proposal;
  j["evaluations"] = r.evaluations;
  return j;
}

std::string bounds_text(const SearchBenchOptions& o) {
  std::string text;
  if (o.max_params > 0) text += "params <= " + core::number(o.max_params);
  if (o.max_macs > 0) text += (text.empty() ? "" : ", ") + ("MACs <= " + core::number(o.max_macs));
  return text;
}

std::string interval_text(const SearchBenchResult& r) {
  return core::fixed(r.interval_of_mean_test[0], 3) + " to " + core::fixed(r.interval_of_mean_test[1], 3);
}

}  // namespace

int bench_search(const BenchOptions& options) {
  SearchBenchOptions o = options.search;
  o.batch = options.batch;
  if (!options.objectives.empty()) o.objective = search::Objective(options.objectives);
  for (const std::string& text : options.constraints) o.objective.constraints.push_back(constraint_of(text));
  if (o.table.empty())
    throw core::ConfigError(
        "condenser bench search: --table is missing; expected a CSV, or the YAML that describes it");
  ordered_json json{{"schema_version", 1}, {"benchmark", "search"}};
  StageOutput out{"Searches on a look-up table: evaluations until its best network",
                  {{{"generator", "generator", false},
                    {"bounds", "bounds", false},
                    {"seeds", "seeds"},
                    {"median_evaluations", "median"},
                    {"mean_evaluations", "mean"},
                    {"deviation_of_mean", "s.e."},
                    {"hit_share", "hits"},
                    {"best_after_8", "best @8"},
                    {"best_after_16", "@16"},
                    {"best_after_32", "@32"},
                    {"mean_test", "test returned"},
                    {"interval", "95 %", false},
                    {"median_test", "median test"},
                    {"milliseconds_per_proposal", "ms/proposal"}},
                   {}},
                  {}};
  json["cases"] = ordered_json::array();
  for (const SearchBenchOptions& one : cases_of(o)) {
    const SearchBenchResult r = search::bench_search(one);
    const auto after = [&](int n) {
      return r.best_after.contains(n) ? core::cell(r.best_after.at(n), 3) : core::empty_cell();
    };
    out.table.rows.push_back({core::cell(one.generator), core::cell(bounds_text(one)), core::cell(int64_t{one.seeds}),
                              core::cell(r.median_evaluations, 1), core::cell(r.mean_evaluations, 2),
                              core::cell(r.deviation_of_mean, 2), core::cell(r.hit_share, 3), after(8), after(16),
                              after(32), core::cell(r.mean_test, 3), core::cell(interval_text(r)),
                              core::cell(r.median_test, 3), core::cell(r.milliseconds_per_proposal, 1)});
    json["cases"].push_back(json_of(one, r));
  }
  const ordered_json first = json["cases"].front();
  json.update(first);  // for short scripts
  print_either(json, out, options.format);
  return 0;
}

}  // namespace condenser::cli
