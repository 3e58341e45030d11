// Stage `search`: space, gate, generator and probes from the run file; trials in study.sqlite; the winner as a Spec
// file.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "cli/cost_estimate.hpp"
#include "cli/examiner.hpp"
#include "cli/inputs.hpp"
#include "cli/lessons.hpp"
#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "cli/search_workers.hpp"
#include "cli/stages/stages.hpp"
#include "cli/summary.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/ladder.hpp"
#include "condenser/search/near_miss.hpp"
#include "condenser/search/probe_rows.hpp"
#include "condenser/search/proxies.hpp"
#include "condenser/search/study_summary.hpp"
#include "condenser/search/table.hpp"
#include "condenser/search/trial_table.hpp"

namespace condenser::cli {

using search::Trial;
using search::TrialState;

namespace {

std::string trial_line(const Trial& trial, const search::Objective& objective, int64_t examined, int64_t wanted) {
  std::string line =
      "[" + std::to_string(examined) + "/" + std::to_string(wanted) + "] trial " + std::to_string(trial.index);
  if (trial.state == TrialState::Failed) return line + ": failed: " + trial.error;
  if (!trial.full()) line += " (rung " + std::to_string(trial.rung + 1) + ")";
  line += ": " + search::goals_text(trial, objective) + ", " + search::text_of(trial, "params") + ", " +
          search::text_of(trial, "macs") + ", arena " + search::text_of(trial, "arena_bytes");
  if (!trial.feasible()) line += " (does not pass the gate)";
  return line + ", " + duration_text(trial.seconds);
}

// The live line: what is examined, how far the search is, and when it will be done if the next candidates take as long.
class SearchProgress {
 public:
  explicit SearchProgress(int64_t wanted) : wanted_(static_cast<double>(wanted)) {}

  void update(int64_t trial, int64_t examined, double fraction, const std::string& doing) {
    if (!first_) first_ = static_cast<double>(examined);
    if (!line_.due()) return;
    const double done = static_cast<double>(examined) + fraction;
    const double passed = std::chrono::duration<double>(Clock::now() - started_).count();
    ProgressFacts facts{"search", done / wanted_, {"candidate " + std::to_string(trial) + ", " + doing}};
    if (done > *first_) facts.facts.push_back(duration_text(passed / (done - *first_) * (wanted_ - done)) + " left");
    facts.facts.push_back(std::to_string(examined) + " of " + core::fixed(wanted_, 0) + " examined");
    line_.update(facts);
  }
  void finish() { line_.finish(); }

 private:
  using Clock = std::chrono::steady_clock;
  double wanted_;
  std::optional<double> first_;  // examined before this process came
  Clock::time_point started_ = Clock::now();
  ProgressLine line_;
};

std::string refusal_summary(const std::vector<Trial>& trials) {
  std::string text;
  for (const auto& [rule, count] : search::refusals_by_rule(trials))
    text += (text.empty() ? "" : ", ") + rule + " " + std::to_string(count);
  return text;
}

std::string failure_summary(const std::vector<Trial>& trials) {
  int64_t failed = 0;
  const Trial* last = nullptr;
  for (const Trial& trial : trials) {
    if (trial.state != TrialState::Failed || trial.same_as >= 0) continue;
    ++failed;
    last = &trial;
  }
  if (last == nullptr) return "";
  return std::to_string(failed) + " failed, the last of them candidate " + std::to_string(last->index) + ": " +
         last->error;
}

// The largest shape of one's own pictures, smaller than now, with which this genotype keeps the bound; "": none.
std::string smaller_shape(const RunConfig& c, const search::Genotype& genotype, const search::Bound& bound) {
  if (c.dataset.folder.empty() || c.space->chooses_input()) return "";  // a card, or the space, says the shape
  const data::ItemShape now = c.card.shape;
  for (const double factor : {0.75, 0.5, 0.375, 0.25, 0.125}) {
    const auto h = std::lround(factor * static_cast<double>(now.h)),
               w = std::lround(factor * static_cast<double>(now.w));
    try {
      auto reader = core::config::Reader::from_text(c.resolved, "space");
      auto section = reader.section("space", "");
      const auto space =
          planned_as_exported(search::make_space(section, {{now.c, h, w}, static_cast<int>(c.card.classes.size())}),
                              c.export_options, c.quant);
      if (bound.metric->of_design(space->expand(genotype)) <= bound.limit)
        return "dataset.shape=[" + std::to_string(now.c) + "," + std::to_string(h) + "," + std::to_string(w) + "]";
    } catch (const core::Error&) {
      // Too small for the strides, or other decisions: the next.
    }
  }
  return "";
}

// One change of the configuration that lets the nearest candidate pass this rule.
std::string change_for(const RunConfig& c, const search::NearMiss& miss, const std::vector<Trial>& trials) {
  const bool comparator = miss.rule == "beats_comparator";
  if (miss.constraint != nullptr)
    return "loosen search.constraints." + miss.constraint->metric->name + ", or train longer (probe.epochs)";
  if (miss.bound == nullptr) {
    if (comparator) return "lower gate.comparator.min_probe_accuracy, or train longer (probe.epochs)";
    if (miss.rule.starts_with("exportable_to_")) return "leave options with that operator out of the space";
    return "narrow the space to options that keep it, or take it out of gate.rules";
  }
  const std::string key = comparator ? "gate.comparator.max_" + miss.bound->metric->name : "gate." + miss.rule;
  const std::string raise = key + "=" + std::to_string(miss.value);
  const bool arena = miss.bound->metric->name == "arena_bytes" || miss.bound->metric->name == "macs";
  const std::string shape =
      arena ? smaller_shape(c, trials[static_cast<size_t>(miss.trial)].genotype, *miss.bound) : std::string();
  return raise + (shape.empty() ? ", or smaller options in the space" : ", or " + shape);
}

// Why a search ended with nothing: for every rule how near it came and what would let that candidate pass.
std::string nothing_found(const RunConfig& c, const search::Gate& gate, const std::vector<Trial>& trials) {
  std::string text =
      "search: no feasible candidate among " + core::thousands(static_cast<int64_t>(trials.size())) + " proposals";
  for (const search::NearMiss& miss : search::near_misses(trials, gate, c.search.objective)) {
    const search::Verdict& v = miss.verdict;
    text += ". " + miss.rule + " refused " + core::thousands(miss.refused) + ": " + v.limit + "; nearest " + v.value +
            " (candidate " + std::to_string(miss.trial) + (v.node.empty() ? "" : ", node " + v.node) + "); try " +
            change_for(c, miss, trials);
  }
  const std::string failures = failure_summary(trials);
  return text + (failures.empty() ? "" : ". " + failures);
}

// Every network that no other beats in all goals. The winner is the one in balance (search::best).
void add_front(const search::Objective& objective, const std::vector<Trial>& trials, std::vector<std::string>& lines) {
  const std::vector<const Trial*> front = search::front(trials, objective);
  lines.push_back(
      "front: " + std::to_string(front.size()) +
      " networks; the winner is the one nearest to the best values of all goals, each in shares of its range");
  for (const Trial* trial : front)
    lines.push_back("  trial " + std::to_string(trial->index) + ": " + search::goals_text(*trial, objective));
}

// A network of one's own: nothing to search, the gate still holds.
StageOutput own_network(RunContext& run) {
  const arch::Design design = load_winner(run);
  const arch::Spec& spec = design.spec;
  const search::Gate gate = make_gate(run.config);
  const auto verdicts = gate.before_training(design);
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
      if (!v.passed) why += (why.empty() ? "" : "; ") + search::to_text(v);
    throw core::Error("network " + spec.name + " does not pass the gate: " + why, core::ExitCode::NoFeasible);
  }
  write_winner(run, spec, {.verdicts = verdicts});
  return out;
}

// A table has no network to write down.
void keep_winner(RunContext& run, const Trial& best, WinnerRecord record) {
  const search::Space& space = *run.config.space;
  if (!search::is_table(space)) {
    const search::Candidate winner = space.expand(best.genotype);
    if (space.chooses_input()) record.input = record_of(winner.input);
    core::write_atomic(run.folder / "winner.yaml", winner_yaml(run.config, winner.input));
    return write_winner(run, winner.spec, std::move(record));
  }
  record.spec_hash = best.hash.hex();
  record.settings = settings_of(run, "search");
  write_record(run.folder, record);
}

// About: with rungs, most candidates are examined in part.
int64_t examinations(const RunConfig& c) {
  double sum = 0;
  for (const double n : search::candidates_on_rungs(fidelities(c.probe), c.search.trials)) sum += n;
  return std::lround(sum);
}

// Trainings that will not go on need not be kept.
void forget_paused(const RunContext& run, const std::vector<Trial>& trials) {
  std::error_code none;
  std::set<std::string> keep;
  const int rungs = static_cast<int>(fidelities(run.config.probe).size());
  for (const auto& hash : search::may_go_on(trials, run.config.search.objective, rungs)) keep.insert(hash.hex());
  for (const auto& entry : std::filesystem::directory_iterator(paused_folder(run.folder), none))
    if (!keep.contains(entry.path().stem().string())) std::filesystem::remove(entry.path(), none);
}

// What the scores were worth.
void tell_proxies(const RunConfig& c, const std::vector<Trial>& trials, StageOutput& out) {
  std::vector<std::string> metrics;
  for (const std::string& name : c.probe.scores)
    for (const std::string& metric : search::find_probe_row(name).finds) metrics.push_back(metric);
  if (metrics.empty()) return;
  const auto proxies = search::proxy_report(trials, c.search.objective, metrics);
  std::string line;
  for (const search::Proxy& p : proxies) {
    line += (line.empty() ? "" : ", ") + p.metric + " " + core::fixed(p.correlation, 2);
    if (p.dropped)
      core::log::info("search: proxy " + p.metric + " is dropped: its rank correlation with " +
                      c.search.objective.text() + ", " + core::fixed(p.correlation, 2) + " over " +
                      std::to_string(p.trials) + " candidates, does not beat that of params and macs");
  }
  out.lines.push_back("rank correlation with " + c.search.objective.text() + " over " +
                      std::to_string(proxies.front().trials) + " candidates: " + line);
}

// What earlier studies were worth to this one.
void tell_lesson(RunContext& run, const search::Gate& gate, const std::vector<Trial>& trials, StageOutput& out) {
  const auto store = search::open_study(study_of(run));
  const auto words = lesson_report(run.config, gate, *store, trials);
  if (!words) return;
  core::log::info("search: " + *words);
  out.lines.push_back(*words);
}

}  // namespace

StageOutput stage_search(RunContext& run) {
  for (const std::string& note : run.config.gate.notes) core::log::info("gate: " + note);
  if (run.config.network) return own_network(run);
  const RunConfig& c = run.config;
  const search::Gate gate = make_gate(c);
  open_for_work(run);

  const int64_t wanted = examinations(c);
  SearchProgress progress(wanted);
  int64_t finished = 0;
  bool first = true;
  search::SearchWatch watch;
  watch.on_progress = [&](int64_t trial, int64_t examined, double fraction, const std::string& doing) {
    progress.update(trial, examined, fraction, doing);
  };
  watch.on_trial = [&](const Trial& trial, int64_t examined) {
    if (first && trial.index > 0)
      core::log::info("search: going on after " + std::to_string(trial.index) + " stored trials");
    first = false;
    if (!trial.in_budget()) return;
    core::log::info("search: " + trial_line(trial, c.search.objective, examined, wanted));
    constexpr int64_t kNowAndThen = 16;
    if (c.probe.rungs.size() > 1 && ++finished % kNowAndThen == 0)
      forget_paused(run, search::open_study(study_of(run))->load());
  };
  const auto trials = run_workers(run, gate, watch);
  progress.finish();
  forget_paused(run, trials);

  const Trial* best = search::best(trials, c.search.objective);
  if (!best) throw core::Error(nothing_found(c, gate, trials), core::ExitCode::NoFeasible);
  keep_winner(
      run, *best,
      {.trial = best->index,
       .genotype = search::to_text(*c.space, best->genotype),
       .examined = static_cast<int64_t>(search::summary_of(trials, {}).spent + 1e-6),  // sums of shares are not exact
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
      search::trial_table(trials, c.search.objective),
      {}};
  out.lines.push_back("refused before training: " + std::to_string(refused) +
                      (refused ? " (" + refusal_summary(trials) + ")" : "") + "; duplicates: " + std::to_string(same) +
                      "; failed: " + std::to_string(failed));
  for (const std::string& note : c.gate.notes) out.lines.push_back("gate: " + note);
  if (c.search.objective.several()) add_front(c.search.objective, trials, out.lines);
  tell_proxies(c, trials, out);
  tell_lesson(run, gate, trials, out);
  out.lines.push_back("winner: " + best->hash.hex() + "  " + search::to_text(*c.space, best->genotype));
  return out;
}

}  // namespace condenser::cli
