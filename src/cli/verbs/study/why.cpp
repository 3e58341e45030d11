// `condenser study why`: one trial on one page.

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/exchange.hpp"
#include "condenser/search/fate.hpp"
#include "condenser/search/trial_table.hpp"

namespace condenser::cli {

using nlohmann::ordered_json;
using search::Fate;
using search::Trial;

namespace {

constexpr size_t kColumns = 110;

struct Page {
  const OpenStudy& study;
  const std::vector<Trial>& trials;
  const Trial& trial;
  search::Objective objective;
  Fate fate;
};

std::string choices_text(const Page& p) {
  if (const search::Space* space = p.study.space()) return core::printable(search::to_text(*space, p.trial.genotype));
  std::vector<std::string> numbers;
  for (const int choice : p.trial.genotype.choice) numbers.push_back(std::to_string(choice));
  return "options number " + core::join(numbers, " ") + " (their names stand in the configuration)";
}

std::string found_text(const Trial& trial) {
  std::vector<std::string> found;
  for (const auto& [name, ignored] : trial.findings.metrics) {
    const search::Metric* metric = search::find_metric(name);
    if (metric == nullptr || metric->of_design == nullptr)
      found.push_back(core::printable(name) + " " + search::text_of(trial, name));
  }
  return core::join(found);
}

std::string costs_text(const Trial& trial) {
  std::vector<std::string> costs;
  for (const search::Metric& metric : search::metrics())
    if (metric.of_design != nullptr && trial.findings.metrics.contains(metric.name))
      costs.push_back(metric.unit == "bytes" ? metric.name + " " + search::text_of(trial, metric.name)
                                             : search::text_of(trial, metric.name));
  return core::join(costs);
}

// How right the forecast was, once it can be known.
std::string forecast_check(const Page& p) {
  const auto found = p.objective.goals[0].number(p.trial.findings);
  if (!p.trial.forecast || !found) return "";
  const search::Forecast& f = *p.trial.forecast;
  const bool within = *found >= f.low && *found <= f.high;
  return within ? "; what was found lies within" : *found < f.low ? "; less was found" : "; more was found";
}

std::string examined_text(const Trial& trial) {
  const std::string worker = search::worker_text(trial.worker);
  std::string text = trial.imported()                             ? "elsewhere: " + worker
                     : trial.state == search::TrialState::Running ? "now, by " + worker
                                                                  : "by " + worker;
  if (trial.seconds > 0) text += ", in " + duration_text(trial.seconds);
  if (trial.tries > 1) text += "; taken " + std::to_string(trial.tries) + " times, as earlier workers were lost";
  return text;
}

std::string fidelity_text(const Page& p) {
  if (p.trial.full() && p.trial.rung == 0) return "";
  return core::number(p.trial.fidelity) + " of the full examination (rung " + std::to_string(p.trial.rung) + ")";
}

core::Table verdict_table(const Trial& trial) {
  core::Table t{{{"rule", "rule", false},
                 {"passed", "passed", false},
                 {"node", "node", false},
                 {"value", "value", false},
                 {"limit", "limit", false}},
                {}};
  for (const search::Verdict& v : trial.verdicts)
    t.rows.push_back({core::cell(v.rule), core::Cell{v.passed ? "true" : "false", v.passed ? "yes" : "NO"},
                      core::cell(v.node), core::cell(v.value), core::cell(v.limit)});
  return t;
}

// Where the network is by now, when another trial tells more of it than this one.
std::string stands_text(const Page& p, const search::Fates& fates) {
  if (p.fate.kind != "went on" && p.fate.kind != "copy") return "";
  const Trial* at = &p.trial;
  for (int64_t next = p.fate.other; next >= 0;) {
    const auto found = std::ranges::lower_bound(p.trials, next, {}, &Trial::index);
    if (found == p.trials.end() || found->index != next) break;
    at = &*found;
    const Fate fate = fates.of(*at);
    next = fate.kind == "went on" ? fate.other : -1;
  }
  return "trial " + std::to_string(at->index) + ": " + fates.of(*at).text;
}

core::Table page_table(const Page& p, const search::Fates& fates) {
  const Trial& t = p.trial;
  core::Table table{{{"what", "what", false}, {"answer", "answer", false}}, {}};
  const auto line = [&](const char* what, const std::string& words) {
    if (!words.empty()) table.rows.push_back({core::cell(what), core::cell(words)});
  };
  line("proposed by", search::proposer_of(t) + (t.reason.empty() ? "" : ": " + core::printable(t.reason)));
  if (t.forecast)
    line("forecast",
         p.objective.goals[0].text + " " + search::text_of(*t.forecast, p.objective.goals[0]) + forecast_check(p));
  line("choices", choices_text(p));
  if (t.hash != core::Hash128{}) line("network", t.hash.hex());
  line("costs", costs_text(t));
  line("fidelity", fidelity_text(p));
  if (t.examined() && t.state != search::TrialState::Proposed && !t.worker.empty()) line("examined", examined_text(t));
  line("found", found_text(t));
  line("fate", p.fate.text);
  line("now", stands_text(p, fates));
  return table;
}

ordered_json json_of(const Page& p, const search::Fates& fates) {
  ordered_json j =
      ordered_json::parse(search::export_json({p.trial}, p.study.space(), p.objective.text()))["trials"][0];
  ordered_json fate{{"kind", p.fate.kind},
                    {"text", p.fate.text},
                    {"place", nullptr},
                    {"among", nullptr},
                    {"on_front", p.fate.on_front},
                    {"other", nullptr},
                    {"stands_now", stands_text(p, fates)}};
  if (p.fate.place > 0) fate["place"] = p.fate.place, fate["among"] = p.fate.among;
  if (p.fate.other >= 0) fate["other"] = p.fate.other;
  j["objective"] = p.objective.text();
  j["fate"] = fate;
  return j;
}

}  // namespace

int study_why(const StudyOptions& o) {
  const int64_t index = trial_number(o);
  const OpenStudy study = open_study_of(o, search::StoreMode::Look);
  const auto trials = study.store->load();
  const auto found = std::ranges::lower_bound(trials, index, {}, &Trial::index);
  if (found == trials.end() || found->index != index)
    throw core::ConfigError(study.name + ": trial " + std::to_string(index) + ": no such trial; the study has " +
                            (trials.empty() ? "none" : "0.." + std::to_string(trials.back().index)));
  const search::Objective objective = objective_of(o, study);
  const search::Fates fates(trials, objective, cost_of(o));
  const Page page{study, trials, *found, objective, fates.of(*found)};
  if (o.format == "json") {
    print_json(json_of(page, fates));
    return 0;
  }
  print({"Trial " + std::to_string(index) + " of " + study.name, page_table(page, fates), {}}, "text", kColumns);
  if (!found->verdicts.empty()) print({"\nThe gate", verdict_table(*found), {}}, "text", kColumns);
  return 0;
}

}  // namespace condenser::cli
