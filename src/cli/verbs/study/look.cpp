// What a study has come to: list, show, best, front. Nothing is changed.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "cli/lessons.hpp"
#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/fate.hpp"
#include "condenser/search/study_summary.hpp"
#include "condenser/search/trial_table.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using search::StoreMode;
using search::StudySummary;
using search::Trial;

namespace {

constexpr size_t kColumns = 110, kLatestEvents = 20;

std::string budget_text(const StudySummary& s, const OpenStudy& study) {
  return core::number(std::round(s.spent * 1000) / 1000) +
         (study.config ? " of " + core::thousands(study.config->search.trials) : "");
}

bool spent(const StudySummary& s, const OpenStudy& study) {
  return study.config && s.spent > study.config->search.trials - 1e-9;
}

// In one or two words, for lists.
std::string state_of(const StudySummary& s, const OpenStudy& study) {
  if (!study.folder.empty() && core::is_locked(study.folder)) return s.stopped ? "stopping" : "running";
  if (s.trials == 0) return "empty";
  if (s.stopped) return "stopped";
  if (s.running > 0) return "in work";
  if (spent(s, study) || !s.budget.empty()) return "finished";
  return "open";
}

std::string rules_text(const std::vector<Trial>& trials) {
  std::string text;
  for (const auto& [rule, count] : search::refusals_by_rule(trials))
    text += (text.empty() ? "" : ", ") + rule + " " + std::to_string(count);
  return text;
}

// Rows of a list; what cannot be read is a row too.
struct Listed {
  std::string name, state, objective, best_text;
  StudySummary summary;
  std::string budget;
  std::optional<int64_t> best;  // trial
  std::optional<double> best_value;
};

Listed listed(StudyOptions o, const std::string& subject) {
  o.subject = subject;
  Listed row;
  row.name = subject;
  try {
    const OpenStudy study = open_study_of(o, StoreMode::Look);
    const auto trials = study.store->load();
    const auto events = study.store->events();
    row.name = study.name;
    row.summary = search::summary_of(trials, events);
    row.state = state_of(row.summary, study);
    row.budget = budget_text(row.summary, study);
    if (!study.config) return row;
    const search::Objective& objective = study.config->search.objective;
    row.objective = objective.text();
    const Trial* best = search::best(trials, objective);
    if (best == nullptr) return row;
    row.best = best->index;
    row.best_value = objective.goals[0].number(best->findings);
    row.best_text = search::goals_text(*best, objective);
  } catch (const core::Error& e) {
    row.state = std::string("cannot be read: ") + e.what();
  }
  return row;
}

std::vector<std::string> studies_in(const StudyOptions& o) {
  std::error_code ignored;
  if (!fs::is_directory(o.subject, ignored) || fs::exists(fs::path(o.subject) / "study.sqlite", ignored))
    return {o.subject};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(o.subject, ignored))
    if (fs::exists(entry.path() / "study.sqlite", ignored)) found.push_back(entry.path().string());
  std::ranges::sort(found);
  return found;
}

core::Cell word(const std::string& text) { return text.empty() ? core::empty_cell() : core::cell(text); }

core::Cell value_cell(const Listed& row) {
  if (!row.best_value) return core::empty_cell();
  return {core::number(*row.best_value), row.best_text};
}

ordered_json json_of(const StudySummary& s, const std::vector<Trial>& trials) {
  ordered_json workers = ordered_json::object(), rungs = ordered_json::array(), rules = ordered_json::object(),
               proposers = ordered_json::object();
  for (const auto& [name, w] : s.workers)
    workers[name] = {{"finished", w.finished}, {"lost", w.lost}, {"seconds", w.seconds}, {"running", w.running}};
  for (const auto& [rung, r] : s.rungs)
    rungs.push_back(
        {{"rung", rung}, {"fidelity", r.fidelity}, {"examined", r.examined}, {"open", r.open}, {"went_on", r.went_on}});
  for (const auto& [rule, count] : search::refusals_by_rule(trials)) rules[rule] = count;
  for (const auto& [name, count] : s.proposers) proposers[name.empty() ? "generator" : name] = count;
  return {{"trials", s.trials},
          {"feasible", s.feasible},
          {"infeasible", s.infeasible},
          {"refused", s.refused},
          {"failed", s.failed},
          {"copies", s.copies},
          {"waiting", s.waiting},
          {"running", s.running},
          {"outside", s.outside},
          {"imported", s.imported},
          {"examinations_spent", s.spent},
          {"seconds", s.seconds},
          {"workers", workers},
          {"rungs", rungs},
          {"refusals", rules},
          {"proposers", proposers}};
}

ordered_json json_of(const search::Event& e) {
  ordered_json j{{"id", e.id},         {"time", e.time},   {"kind", e.kind},
                 {"worker", e.worker}, {"trial", nullptr}, {"text", e.text}};
  if (e.trial >= 0) j["trial"] = e.trial;
  return j;
}

core::Table worker_table(const StudySummary& s) {
  core::Table t{{{"worker", "worker", false},
                 {"finished", "finished"},
                 {"seconds", "seconds"},
                 {"lost", "lost"},
                 {"running", "examines now", false}},
                {}};
  for (const auto& [name, w] : s.workers) {
    std::vector<std::string> running;
    for (const int64_t trial : w.running) running.push_back("trial " + std::to_string(trial));
    t.rows.push_back({core::cell(search::worker_text(name)), core::cell(w.finished), core::cell(w.seconds, 1),
                      core::cell(w.lost), word(core::join(running))});
  }
  return t;
}

core::Table rung_table(const StudySummary& s) {
  core::Table t{
      {{"rung", "rung"}, {"fidelity", "fidelity"}, {"examined", "examined"}, {"open", "open"}, {"went_on", "went on"}},
      {}};
  for (const auto& [rung, r] : s.rungs)
    t.rows.push_back({core::cell(int64_t{rung}), core::cell(r.fidelity, 3), core::cell(r.examined), core::cell(r.open),
                      core::cell(r.went_on)});
  return t;
}

core::Table count_table(const char* key, const char* title, const std::map<std::string, int64_t>& counts) {
  core::Table t{{{key, title, false}, {"trials", "trials"}}, {}};
  for (const auto& [name, count] : counts) t.rows.push_back({core::cell(name), core::cell(count)});
  return t;
}

core::Table event_table(const std::vector<search::Event>& events) {
  core::Table t{{{"time", "time", false},
                 {"kind", "event", false},
                 {"worker", "worker", false},
                 {"trial", "trial"},
                 {"text", "what", false}},
                {}};
  const size_t first = events.size() > kLatestEvents ? events.size() - kLatestEvents : 0;
  for (size_t i = first; i < events.size(); ++i) {
    const search::Event& e = events[i];
    t.rows.push_back({core::cell(time_text(e.time)), core::cell(e.kind), word(search::worker_text(e.worker)),
                      e.trial < 0 ? core::empty_cell() : core::cell(e.trial), word(e.text)});
  }
  return t;
}

// Of studies that have learned from others.
std::optional<std::string> lesson_of(const OpenStudy& study, const std::vector<Trial>& trials) {
  if (study.space() == nullptr) return std::nullopt;
  return lesson_report(*study.config, make_gate(*study.config), *study.store, trials);
}

std::string constraints_text(const search::Objective& objective) {
  std::string text;
  for (const search::Constraint& constraint : objective.constraints) text += ", " + constraint.text();
  return text;
}

std::string best_line(const Trial& best, const search::Objective& objective) {
  return "best: trial " + std::to_string(best.index) + ", " + search::goals_text(best, objective) + ", " +
         search::text_of(best, "params") + ", " + search::text_of(best, "macs");
}

void show_text(const OpenStudy& study, const StudySummary& s, const std::vector<Trial>& trials,
               const std::vector<search::Event>& events, const std::optional<search::Objective>& objective) {
  StageOutput out{study.name + ": " + state_of(s, study), {{{"state", "state", false}, {"trials", "trials"}}, {}}, {}};
  const std::pair<const char*, int64_t> counts[] = {
      {"feasible", s.feasible},     {"examined, not feasible", s.infeasible}, {"refused by the gate", s.refused},
      {"failed", s.failed},         {"copies of earlier ones", s.copies},     {"waiting for a worker", s.waiting},
      {"being examined", s.running}};
  for (const auto& [name, count] : counts)
    if (count > 0) out.table.rows.push_back({core::cell(name), core::cell(count)});
  out.table.rows.push_back({core::cell("all"), core::cell(s.trials)});
  if (objective) out.lines.push_back("objective: " + objective->text() + constraints_text(*objective));
  if (study.config) out.lines.push_back("generator: " + study.config->search.generator);
  out.lines.push_back("full examinations spent: " + budget_text(s, study) + ", " + duration_text(s.seconds) +
                      " of examining");
  if (s.outside > 0)
    out.lines.push_back("from outside: " + core::thousands(s.outside) + ", " + core::thousands(s.imported) +
                        " of them imported, which no budget counts");
  if (!s.budget.empty()) out.lines.push_back("ended: " + core::printable(s.budget));
  const Trial* best = objective ? search::best(trials, *objective) : nullptr;
  if (best != nullptr) out.lines.push_back(best_line(*best, *objective));
  if (const auto lesson = lesson_of(study, trials)) out.lines.push_back(core::printable(*lesson));
  if (!study.config) out.lines.push_back("its configuration cannot be had: " + study.trouble);
  print(out, "text", kColumns);
  const auto part = [](const char* title, core::Table table) {
    if (!table.rows.empty()) print({"\n" + std::string(title), std::move(table), {}}, "text", kColumns);
  };
  part("Refusals", count_table("rule", "rule", search::refusals_by_rule(trials)));
  std::map<std::string, int64_t> proposers;
  for (const auto& [name, count] : s.proposers)
    proposers[name.empty() ? "the generator" : search::worker_text(name)] = count;
  part("Proposed by", count_table("by", "by", proposers));
  part("Rungs", s.rungs.size() > 1 ? rung_table(s) : core::Table());
  part("Workers", worker_table(s));
  part("Latest events", event_table(events));
}

// Choices are too many words for a column; for people they stand below.
void print_trials(const StudyOptions& o, StageOutput out, const OpenStudy& study,
                  const std::vector<const Trial*>& trials, const search::Objective& objective) {
  const bool people = o.format == "text" || o.format == "markdown";
  out.table = search::trial_table(trials, objective, people ? nullptr : study.space());
  if (people && study.space() != nullptr)
    for (const Trial* trial : trials)
      out.lines.push_back("trial " + std::to_string(trial->index) + ": " +
                          core::printable(search::to_text(*study.space(), trial->genotype)));
  print(out, o.format, kColumns);
}

}  // namespace

int study_list(const StudyOptions& o) {
  if (!fs::exists(o.subject) && o.subject.find("://") == std::string::npos)
    throw core::ConfigError(core::printable(o.subject) +
                            ": no such folder; expected the folder that holds run folders (runs/), or a study");
  StageOutput out{"Studies in " + core::printable(o.subject),
                  {{{"study", "study", false},
                    {"state", "state", false},
                    {"trials", "trials"},
                    {"feasible", "feasible"},
                    {"refused", "refused"},
                    {"examinations_spent", "spent"},
                    {"objective", "objective", false},
                    {"best_trial", "best trial"},
                    {"best_value", "best"}},
                   {}},
                  {}};
  for (const std::string& subject : studies_in(o)) {
    const Listed row = listed(o, subject);
    out.table.rows.push_back({core::cell(row.name),
                              core::cell(row.state),
                              core::cell(row.summary.trials),
                              core::cell(row.summary.feasible),
                              core::cell(row.summary.refused),
                              {core::number(row.summary.spent), row.budget},
                              word(row.objective),
                              row.best ? core::cell(*row.best) : core::empty_cell(),
                              value_cell(row)});
  }
  if (out.table.rows.empty()) out.lines.push_back("no studies; condenser search RUN.yaml makes one");
  print(out, o.format, kColumns);
  return 0;
}

int study_show(const StudyOptions& o) {
  const OpenStudy study = open_study_of(o, StoreMode::Look);
  const auto trials = study.store->load();
  const auto events = study.store->events();
  const StudySummary s = search::summary_of(trials, events);
  std::optional<search::Objective> objective;
  if (study.config || !o.objective.empty()) objective = objective_of(o, study);
  if (o.format == "text") {
    show_text(study, s, trials, events, objective);
    return 0;
  }
  ordered_json j{{"schema_version", 1}, {"study", study.name}, {"state", state_of(s, study)}, {"objective", nullptr}};
  if (objective) j["objective"] = objective->text();
  if (study.config) {
    j["generator"] = study.config->search.generator;
    j["budget_trials"] = study.config->search.trials;
  }
  j.update(json_of(s, trials));
  if (const auto lesson = lesson_of(study, trials)) j["lesson"] = *lesson;
  j["best_trial"] = nullptr;
  const Trial* best = objective ? search::best(trials, *objective) : nullptr;
  if (best != nullptr) j["best_trial"] = best->index;
  j["events"] = ordered_json::array();
  for (const search::Event& event : events) j["events"].push_back(json_of(event));
  print_json(j);
  return 0;
}

int study_best(const StudyOptions& o) {
  const OpenStudy study = open_study_of(o, StoreMode::Look);
  const search::Objective objective = objective_of(o, study);
  const auto trials = study.store->load();
  const Trial* best = search::best(trials, objective);
  if (best == nullptr) {
    const std::string rules = rules_text(trials);
    throw core::Error(study.name + ": none of its " + core::thousands(std::ssize(trials)) +
                          " trials is feasible, examined in full and has " + objective.text() +
                          (rules.empty() ? "" : "; refusals: " + rules),
                      core::ExitCode::NoFeasible);
  }
  print_trials(o, {"Best of " + study.name + " by " + objective.text(), {}, {}}, study, {best}, objective);
  return 0;
}

int study_front(const StudyOptions& o) {
  const OpenStudy study = open_study_of(o, StoreMode::Look);
  const search::Objective objective = objective_of(o, study);
  const bool all_goals = objective.several() && o.cost.empty();
  const auto trials = study.store->load();
  const auto front = all_goals ? search::front(trials, objective) : search::pareto_front(trials, objective, cost_of(o));
  StageOutput out{"Front of " + study.name + ": " +
                      (all_goals ? objective.text() : objective.goals[0].text + " against " + cost_of(o)),
                  {},
                  {}};
  if (front.empty()) out.lines.push_back("no trial is feasible, examined in full and has both");
  print_trials(o, std::move(out), study, front, objective);
  return front.empty() ? static_cast<int>(core::ExitCode::NoFeasible) : 0;
}

}  // namespace condenser::cli
