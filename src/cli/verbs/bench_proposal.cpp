// `condenser bench proposal`: how long a search thinks before each trial, after few trials and after very many.

#include "condenser/search/bench_proposal.hpp"

#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verbs/bench.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/team.hpp"

namespace condenser::cli {
namespace {

using core::config::Reader;
using nlohmann::ordered_json;

constexpr int64_t kHistories[] = {500, 100'000};

Reader open(const std::filesystem::path& file) {
  return Reader::from_file(core::config::find_file(file, std::filesystem::current_path() / "run.yaml"));
}

ordered_json json_of(const core::Quartiles& q) {
  return {{"median", q.median}, {"least", q.min}, {"lower_quartile", q.q1}, {"upper_quartile", q.q3}, {"most", q.max}};
}

}  // namespace

int bench_proposal(const BenchOptions& o) {
  Reader space_reader = open("search/spaces/columns_digits.yaml"), gate_reader = open("search/budgets/mcu_32k.yaml");
  const auto space = search::make_space(space_reader, {{1, 28, 28}, 10});
  search::GateOptions gate_options;
  search::read_options(gate_reader, gate_options);
  const search::Gate gate = make_gate(gate_options, {"c99"});
  core::Team::instance().resize(o.threads > 0 ? o.threads : core::all_cores());

  ordered_json json{{"schema_version", 1},
                    {"benchmark", "proposal"},
                    {"generator", o.search.generator},
                    {"threads", core::Team::instance().size()}};
  StageOutput out{"Proposals of " + o.search.generator + " in columns_digits under mcu_32k, " +
                      std::to_string(core::Team::instance().size()) + " threads, caches as in a search that runs",
                  {{{"history", "trials before"},
                    {"milliseconds", "ms"},
                    {"least", "least"},
                    {"most", "most"},
                    {"processor_milliseconds", "processor, ms"},
                    {"proposals", "proposals"}},
                   {}},
                  {}};
  for (const int64_t history : kHistories) {
    const search::ProposalBenchOptions options{.generator = o.search.generator, .history = history};
    const search::ProposalBenchResult r = search::bench_proposal(*space, gate, options);
    out.table.rows.push_back({core::cell(history), core::cell(r.milliseconds.median, 1),
                              core::cell(r.milliseconds.min, 1), core::cell(r.milliseconds.max, 1),
                              core::cell(r.processor_milliseconds.median, 1), core::cell(options.proposals)});
    json["cases"].push_back({{"history", history},
                             {"proposals", options.proposals},
                             {"milliseconds", json_of(r.milliseconds)},
                             {"processor_milliseconds", json_of(r.processor_milliseconds)}});
  }
  print_either(json, out, o.format);
  return 0;
}

}  // namespace condenser::cli
