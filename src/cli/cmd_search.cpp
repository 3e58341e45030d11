// Stage `search`: space, gate, generator and probes from the run file; trials in study.sqlite; the winner as a Spec
// file.

#include <algorithm>

#include "cli/cost_estimate.hpp"
#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "cli/stages.hpp"
#include "cli/summary.hpp"
#include "cli/torch_module.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/log.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {

using search::Trial;
using search::TrialState;

namespace {

// The short training, made when the first candidate gets that far: a resumed search that is complete needs no LibTorch.
class LazyShortTrain : public search::Probe {
 public:
  explicit LazyShortTrain(RunContext& run) : run_(run) {}
  std::string name() const override { return "short_train"; }
  double cost_seconds() const override { return 1.0; }
  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    if (!probe_) {
      const ProbeOptions& o = run_.config.probe;
      auto data = run_.training();
      if (o.samples > 0) data = data::subset(data, data::stratified_subset(*data, o.samples, o.train.seed));
      probe_ = torch_backend().make_short_train(data, run_.validation(), o.train);
    }
    probe_->ask(candidate, context, findings);
  }

 private:
  RunContext& run_;
  std::unique_ptr<search::Probe> probe_;
};

std::string metric_text(const Trial& trial, const std::string& name, const char* format) {
  const auto found = trial.findings.metrics.find(name);
  if (found == trial.findings.metrics.end()) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, found->second);
  return text;
}

int64_t metric_count(const Trial& trial, const std::string& name) {
  const auto found = trial.findings.metrics.find(name);
  return found == trial.findings.metrics.end() ? 0 : static_cast<int64_t>(found->second);
}

std::string trial_line(const Trial& trial, int64_t examined, int64_t wanted) {
  std::string line =
      "[" + std::to_string(examined) + "/" + std::to_string(wanted) + "] trial " + std::to_string(trial.index);
  if (trial.state == TrialState::Failed) return line + ": failed: " + trial.error;
  line += ": val " + metric_text(trial, "val_accuracy", "%.2f %%") + ", " +
          core::thousands(metric_count(trial, "params")) + " params, " + core::thousands(metric_count(trial, "macs")) +
          " MACs, arena " + core::thousands(metric_count(trial, "arena_bytes")) + " bytes";
  if (!trial.feasible()) line += " (does not pass the gate)";
  return line + ", " + duration_text(trial.seconds);
}

core::Table trial_table(const std::vector<Trial>& trials) {
  core::Table t{{{"trial", "trial"},
                 {"state", "state", false},
                 {"val_accuracy_percent", "val. accuracy %"},
                 {"params", "params"},
                 {"macs", "MACs"},
                 {"constant_bytes", "constants, bytes"},
                 {"arena_bytes", "arena, bytes"},
                 {"netscore", "NetScore"},
                 {"hash", "network", false}},
                {}};
  for (const Trial& trial : trials) {
    if (trial.state == TrialState::Refused || trial.same_as >= 0) continue;
    const auto metric = [&](const char* name, int digits) {
      const auto found = trial.findings.metrics.find(name);
      return found == trial.findings.metrics.end() ? core::empty_cell() : core::cell(found->second, digits);
    };
    t.rows.push_back(
        {core::cell(trial.index), core::cell(trial.feasible() ? "feasible" : search::to_string(trial.state)),
         metric("val_accuracy", 2), core::cell(metric_count(trial, "params")), core::cell(metric_count(trial, "macs")),
         core::cell(metric_count(trial, "constant_bytes")), core::cell(metric_count(trial, "arena_bytes")),
         metric("netscore", 2), core::cell(trial.hash.hex().substr(0, 12))});
  }
  return t;
}

std::string refusal_text(const search::Verdict& v) {
  return v.rule + (v.node.empty() ? "" : " at node " + v.node) + ": " + v.value + "; limit " + v.limit;
}

std::string refusal_summary(const std::vector<Trial>& trials) {
  std::string text;
  for (const auto& [rule, count] : search::refusals_by_rule(trials))
    text += (text.empty() ? "" : ", ") + rule + " " + std::to_string(count);
  return text;
}

// A network of one's own: nothing to search, the gate still holds.
StageOutput own_network(RunContext& run) {
  const arch::Spec spec = load_winner(run);
  const search::Gate gate = make_gate(run.config);
  const auto verdicts = gate.before_training(spec);
  StageOutput out{"Gate for " + spec.name,
                  {{{"rule", "rule", false},
                    {"passed", "passed", false},
                    {"node", "node", false},
                    {"value", "value", false},
                    {"limit", "limit", false}},
                   {}},
                  {}};
  for (const auto& v : verdicts)
    out.table.rows.push_back({core::cell(v.rule), core::Cell{v.passed ? "true" : "false", v.passed ? "yes" : "NO"},
                              core::cell(v.node), core::cell(v.value), core::cell(v.limit)});
  if (!search::passed(verdicts)) {
    std::string why;
    for (const auto& v : verdicts)
      if (!v.passed) why += (why.empty() ? "" : "; ") + refusal_text(v);
    throw core::Error("network " + spec.name + " does not pass the gate: " + why, core::ExitCode::NoFeasible);
  }
  write_winner(run, spec, {.verdicts = verdicts});
  return out;
}

}  // namespace

StageOutput stage_search(RunContext& run) {
  if (run.config.network) return own_network(run);
  const RunConfig& c = run.config;
  const search::Gate gate = make_gate(c);
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(std::make_unique<LazyShortTrain>(run));
  const search::Inquisitor inquisitor(std::move(probes));
  const auto store = search::make_sqlite_store((run.folder / "study.sqlite").string());
  store->bind(lines_of(settings_of(run, "search")));

  bool first = true;
  const auto on_trial = [&](const Trial& trial, int64_t examined) {
    if (first && trial.index > 0)
      core::log::info("search: going on after " + std::to_string(trial.index) + " stored trials");
    first = false;
    if (trial.state == TrialState::Refused || trial.same_as >= 0) return;
    core::log::info("search: " + trial_line(trial, examined, c.search.trials));
  };
  const auto trials = search::run_search({*c.space, *c.generator, gate, inquisitor, *store}, c.search, on_trial);

  const Trial* best = search::best(trials, c.search.objective);
  if (!best) {
    const std::string refusals = refusal_summary(trials);
    throw core::Error(
        "search: no feasible candidate among " + std::to_string(trials.size()) + " proposals. Refused by rule: " +
            (refusals.empty() ? "none; every examined candidate failed (see " + (run.folder / "log.txt").string() + ")"
                              : refusals) +
            ". Widen the space (search/spaces) or relax the gate (search/budgets)",
        core::ExitCode::NoFeasible);
  }
  const arch::Spec winner = c.space->expand(best->genotype).spec;
  const auto examined = std::count_if(trials.begin(), trials.end(), [](const Trial& trial) {
    return trial.state != TrialState::Refused && trial.same_as < 0;
  });
  write_winner(run, winner,
               {.trial = best->index,
                .genotype = search::to_text(*c.space, best->genotype),
                .examined = examined,
                .metrics = best->findings.metrics,
                .verdicts = best->verdicts});

  int64_t refused = 0, same = 0, failed = 0;
  for (const Trial& trial : trials) {
    refused += trial.state == TrialState::Refused;
    same += trial.same_as >= 0;
    failed += trial.state == TrialState::Failed;
  }
  StageOutput out{
      "Search: " + std::to_string(trials.size()) + " proposals, winner is trial " + std::to_string(best->index),
      trial_table(trials),
      {}};
  out.lines.push_back("refused before training: " + std::to_string(refused) +
                      (refused ? " (" + refusal_summary(trials) + ")" : "") + "; duplicates: " + std::to_string(same) +
                      "; failed: " + std::to_string(failed));
  out.lines.push_back("winner: " + best->hash.hex() + "  " + search::to_text(*c.space, best->genotype));
  return out;
}

}  // namespace condenser::cli
