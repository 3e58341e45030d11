// `condenser bench store`: trials stored a second, and whether the last thousand takes longer than the first.

#include "condenser/search/bench_store.hpp"

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verbs/bench.hpp"
#include "condenser/core/error.hpp"
#include "condenser/search/store.hpp"

namespace condenser::cli {
namespace {

using nlohmann::ordered_json;
using search::StoreBenchResult;

ordered_json json_of(const search::Elapsed& e) { return {{"seconds", e.seconds}, {"processor_seconds", e.processor}}; }

ordered_json json_of(const std::string& kind, const StoreBenchResult& r) {
  return {{"kind", kind},
          {"trials_per_second", r.per_second},
          {"first_thousand", json_of(r.first)},
          {"last_thousand", json_of(r.last)},
          {"open", json_of(r.open)},
          {"bytes_per_trial", r.bytes_per_trial}};
}

}  // namespace

int bench_store(const BenchOptions& o) {
  if (!o.study.empty() && o.kind.empty())
    throw core::ConfigError("condenser bench store: --study holds one kind of trials; add --kind refused or examined");
  ordered_json json{{"schema_version", 1}, {"benchmark", "store"}, {"trials", o.search.trials}};
  json["cases"] = ordered_json::array();
  StageOutput out{"Studies: trials that are stored in a second, and opening the study again",
                  {{{"kind", "trials are", false},
                    {"trials_per_second", "trials/s"},
                    {"first_thousand_processor", "first 1000, processor s"},
                    {"last_thousand_processor", "last 1000, processor s"},
                    {"open_seconds", "opened again in, s"},
                    {"open_processor", "processor s"},
                    {"bytes_per_trial", "bytes each"}},
                   {}},
                  {}};
  std::vector<std::string> kinds = {"refused", "examined"};
  if (!o.kind.empty()) kinds = {o.kind};
  for (const std::string& kind : kinds) {
    const StoreBenchResult r =
        search::bench_store({.study = o.study, .trials = o.search.trials, .examined = kind == "examined"});
    out.table.rows.push_back({core::cell(kind), core::cell(static_cast<int64_t>(r.per_second)),
                              core::cell(r.first.processor, 3), core::cell(r.last.processor, 3),
                              core::cell(r.open.seconds, 2), core::cell(r.open.processor, 2),
                              core::cell(static_cast<int64_t>(r.bytes_per_trial))});
    json["cases"].push_back(json_of(kind, r));
  }
  print_either(json, out, o.format);
  return 0;
}

}  // namespace condenser::cli
