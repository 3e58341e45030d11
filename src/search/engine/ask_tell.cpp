// Asking and telling: a desk without a loop.

#include "condenser/search/ask_tell.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "condenser/search/fate.hpp"
#include "condenser/search/trial_table.hpp"
#include "search/derived.hpp"
#include "search/engine/desk.hpp"

namespace condenser::search {
namespace {

std::string number_of(int64_t trial) { return "trial " + std::to_string(trial); }

bool computed(const Metric& metric) { return metric.of_design != nullptr || source_of(metric) != nullptr; }

std::vector<std::string> told_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics())
    if (!computed(metric)) names.push_back(metric.name);
  return names;
}

void check_one(const std::string& name, double value) {
  const Metric* metric = find_metric(name);
  const std::vector<std::string> names = told_names();
  if (metric == nullptr) {
    const std::string near = core::config::nearest(name, names);
    throw core::ConfigError("metric " + core::printable(name) + ": no such metric" +
                            (near.empty() ? "" : "; did you mean " + near + "?") + " (" + core::join(names) + ")");
  }
  if (computed(*metric))
    throw core::ConfigError("metric " + name +
                            ": is computed by the study; expected only what was measured: " + core::join(names));
  if (!std::isfinite(value))
    throw core::ConfigError("metric " + name + " = " + core::number(value) +
                            "; expected a number (an examination that gave none has failed: tell --failed why)");
  if (metric->unit == "%" && !(value >= 0 && value <= 100))
    throw core::ConfigError("metric " + name + " = " + core::number(value) + "; expected 0..100 (percent)");
}

std::string result_text(const Trial& trial, const Objective& objective) {
  return trial.state == TrialState::Failed ? "failed: " + core::printable(trial.error) : goals_text(trial, objective);
}

bool says_the_same(const Trial& trial, const Told& told) {
  if (!told.failure.empty()) return trial.state == TrialState::Failed && trial.error == told.failure;
  if (trial.state != TrialState::Done) return false;
  return std::ranges::all_of(told.metrics, [&](const auto& m) {
    const auto found = trial.findings.metrics.find(m.first);
    return found != trial.findings.metrics.end() && found->second == m.second;
  });
}

// Why this trial cannot be told of by this worker; what it holds is not lost: it is said.
void check_open(const Trial& trial, const SearchContext& c, const SearchOptions& o) {
  const std::string which = number_of(trial.index) + ": ";
  if (trial.state == TrialState::Refused)
    throw core::Error(which + "was refused by the gate; expected a trial that was asked for. condenser study why " +
                      "says what broke which rule");
  if (trial.same_as >= 0)
    throw core::Error(which + "is the same network as " + number_of(trial.same_as) +
                      ", whose findings count for both; tell " + number_of(trial.same_as) + " if that is open");
  if (trial.finished())
    throw core::Error(which + "is finished already (" + result_text(trial, o.objective) + ", by " +
                      worker_text(trial.worker) + "); what is stored does not change. Nothing was stored");
  if (trial.state == TrialState::Proposed)
    throw core::Error(which + "waits for a worker and is nobody's; ask for it first: condenser study ask");
  if (trial.worker != c.worker)
    throw core::Error(which + "is examined by " + worker_text(trial.worker) + " and not, or no longer, by " +
                      worker_text(c.worker) +
                      ": a lease that has run out gives a trial to whoever asks next. Nothing was stored; if it was "
                      "asked for under another name, say so with --worker");
}

Trial found_in(const std::vector<Trial>& trials, int64_t index) {
  const auto found = std::ranges::lower_bound(trials, index, {}, &Trial::index);
  if (found != trials.end() && found->index == index) return *found;
  throw core::ConfigError(number_of(index) + ": no such trial; the study has " +
                          (trials.empty() ? "none yet" : "0.." + std::to_string(trials.back().index)));
}

// Another network behind the same words: the file is of another space.
void check_costs(const Candidate& candidate, const std::map<std::string, double>& costs) {
  for (const auto& [name, value] : costs) {
    const Metric* metric = find_metric(name);
    const auto real = metric == nullptr ? std::nullopt : cost(candidate, *metric);
    if (real && *real != value)
      throw core::ConfigError(name + " = " + core::number(value) + "; the network of these choices has " +
                              core::number(*real) + "; are they of another space?");
  }
}

void check_known(const Space& space, const Known& known, const Objective& objective) {
  check(space, known.genotype);
  check_told(known.findings.metrics, objective);
  if (known.costs.empty()) return;
  try {
    check_costs(space.expand(known.genotype), known.costs);
  } catch (const arch::SpecError&) {
    // A network that cannot be: it becomes a failed trial.
  }
}

Asked asked(Desk& desk, const SearchOptions& o, std::optional<Desk::Held> held) {
  Asked answer;
  if (held) {
    answer.trial = std::move(held->trial);
    if (answer.trial->state == TrialState::Running) answer.seed = desk.judge().seed_of(*answer.trial);
    return answer;
  }
  answer.why = desk.why_no_more();
  answer.later = !desk.stopped() && !desk.history().all_finished();
  if (answer.why.empty())
    answer.why = number_of(desk.history().first_open().index) + ", which " +
                 worker_text(desk.history().first_open().worker) +
                 " examines, has to be finished before the next is proposed; ask again later. search.window = " +
                 std::to_string(o.window) + " says how many may be in work besides the next";
  return answer;
}

}  // namespace

void check_told(const std::map<std::string, double>& metrics, const Objective& objective) {
  for (const auto& [name, value] : metrics) check_one(name, value);
  for (const Metric* metric : objective.metrics()) {
    const Metric* source = source_of(*metric);
    const std::string& needed = source == nullptr ? metric->name : source->name;
    if (metric->of_design == nullptr && !metrics.contains(needed))
      throw core::ConfigError("metric " + needed + " is missing; expected it, as the study's objective is " +
                              objective.text() + (objective.constraints.empty() ? "" : ", under constraints"));
  }
}

Asked ask(const SearchContext& context, const SearchOptions& options, const std::optional<Proposal>& own) {
  const SearchWatch nobody;
  Desk desk(context, options, nobody);
  desk.look_at_signals();
  if (!own) return asked(desk, options, desk.take());
  Proposal proposal = *own;
  proposal.by = context.worker;
  return asked(desk, options, desk.take(proposal));
}

Taken tell(const SearchContext& context, const SearchOptions& options, int64_t index, const Told& told) {
  if (told.failure.empty()) check_told(told.metrics, options.objective);
  Trial trial = found_in(context.store.load(), index);
  if (trial.finished() && trial.same_as < 0 && trial.worker == context.worker && says_the_same(trial, told))
    return {trial, true};
  check_open(trial, context, options);
  trial.seconds = told.seconds;
  trial.state = told.failure.empty() ? TrialState::Done : TrialState::Failed;
  trial.error = told.failure;
  if (told.failure.empty()) {
    trial.findings.metrics.insert(told.metrics.begin(), told.metrics.end());
    Judge(context.space, context.gate, context.inquisitor, options.objective, options.seed)
        .conclude(trial, context.space.expand(trial.genotype));
  }
  if (!context.store.finish(trial)) {
    check_open(found_in(context.store.load(), index), context, options);
    throw core::Error(number_of(index) + ": was taken by another in this moment; nothing was stored");
  }
  return {trial, false};
}

Imported import_known(const SearchContext& context, const SearchOptions& options, const std::vector<Known>& all) {
  for (const Known& known : all) {
    try {
      check_known(context.space, known, options.objective);
    } catch (const core::Error& e) {
      throw core::ConfigError(known.where + ": " + e.what());
    }
  }
  const SearchWatch nobody;
  Desk desk(context, options, nobody);
  Imported imported;
  const auto turn = context.store.turn({});
  desk.sync();
  for (const Known& known : all) {
    desk.stop_at_boundary();
    Proposal proposal = known.genotype;
    proposal.rung = static_cast<int>(context.rungs.size()) - 1;
    proposal.by = context.worker;
    proposal.reason = "known from elsewhere";
    Desk::Held held{trial_of(proposal, desk.history().next(), context), std::nullopt};
    held.candidate = desk.judge().admit(held.trial, desk.history());
    if (held.trial.same_as >= 0) {
      const Trial& first = desk.history().trials()[static_cast<size_t>(held.trial.same_as)];
      imported.left_out.push_back(
          known.where + ": the same network as " + number_of(first.index) +
          (first.finished() ? " (" + result_text(first, options.objective) + ")" : ", which is not finished"));
      continue;
    }
    if (held.trial.state == TrialState::Proposed) {
      held.trial.state = TrialState::Done;
      held.trial.worker = context.worker;
      Findings findings = known.findings;
      findings.metrics.merge(held.trial.findings.metrics);
      held.trial.findings = std::move(findings);
      desk.judge().conclude(held.trial, *held.candidate);
    }
    const Trial trial = held.trial;
    desk.append(held);
    (trial.state == TrialState::Refused  ? imported.refused
     : trial.state == TrialState::Failed ? imported.failed
     : trial.feasible()                  ? imported.feasible
                                         : imported.infeasible) += 1;
  }
  return imported;
}

}  // namespace condenser::search
