// What was searched: trials, refusals by rule with one example each, and what is not dominated.

#include <algorithm>
#include <cmath>
#include <set>

#include "condenser/search/metrics.hpp"
#include "condenser/search/trial_table.hpp"
#include "report/charts.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {
namespace {

using search::Trial;
using search::TrialState;

constexpr size_t kMostRows = 100;  // of examined trials; all are in study.sqlite
constexpr size_t kOpenRows = 20;   // longer tables are closed at first

core::Cell metric_cell(const Trial& trial, const char* name) {
  return search::cell_of(trial, *search::find_metric(name));
}

struct Counts {
  int64_t refused = 0, same = 0, failed = 0;
  std::vector<const Trial*> examined;  // the best first
};

Counts counts_of(const Searched& s) {
  Counts c;
  for (const Trial& trial : s.trials) {
    c.refused += trial.state == TrialState::Refused && trial.same_as < 0;
    c.same += trial.same_as >= 0;
    c.failed += trial.state == TrialState::Failed;
    if (trial.state == TrialState::Done && trial.same_as < 0) c.examined.push_back(&trial);
  }
  const auto rank = [&](const Trial* trial) { return search::rank_value(*trial, s.objective).value_or(-INFINITY); };
  std::stable_sort(c.examined.begin(), c.examined.end(),
                   [&](const Trial* a, const Trial* b) { return rank(a) > rank(b); });
  return c;
}

core::Table examined_table(const Searched& s, std::vector<const Trial*> examined) {
  examined.resize(std::min(examined.size(), kMostRows));
  return search::trial_table(examined, s.objective, s.space);
}

std::string example_of(const std::vector<Trial>& trials, const std::string& rule) {
  for (const Trial& trial : trials)
    for (const search::Verdict& v : trial.verdicts)
      if (!v.passed && v.rule == rule)
        return "trial " + std::to_string(trial.index) + (v.node.empty() ? "" : ", node " + v.node) + ": " + v.value +
               "; limit " + v.limit;
  return "";
}

void add_refusals(const Searched& s, std::vector<Block>& blocks) {
  blocks.push_back({Heading{"Refusals by rule"}});
  core::Table t{{{"rule", "rule", false}, {"refused", "refused"}, {"example", "example", false}}, {}};
  std::vector<std::pair<std::string, int64_t>> bars;
  for (const auto& [rule, count] : search::refusals_by_rule(s.trials)) bars.emplace_back(rule, count);
  std::stable_sort(bars.begin(), bars.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [rule, count] : bars)
    t.rows.push_back({core::cell(rule), core::cell(count), core::cell(example_of(s.trials, rule))});
  if (bars.empty()) {
    blocks.push_back({Paragraph{"No candidate was refused."}});
    return;
  }
  blocks.push_back({Paragraph{"A candidate counts once for each rule it breaks."}});
  blocks.push_back(
      {Figure{"Refusals by rule", "pictures/refusals.svg", bars_svg(bars, "Candidates refused, by rule"), {}, 420}});
  blocks.push_back({t});
}

void add_front(const Searched& s, const std::vector<const Trial*>& examined, const std::string& winner,
               std::vector<Block>& blocks) {
  // With one goal against the work it takes; with several they are the axes.
  const search::Goal& value_goal = s.objective.goals.front();
  const search::Goal cost_goal = s.objective.several() ? s.objective.goals[1] : search::Goal::parse("macs");
  const std::string cost_title = s.objective.several() ? cost_goal.text : "MACs";
  const std::vector<const Trial*> front = s.objective.several() ? search::front(s.trials, s.objective)
                                                                : search::pareto_front(s.trials, s.objective, "macs");
  const std::set<const Trial*> on_front(front.begin(), front.end());
  // What was found on lower rungs compares with nothing of the highest one.
  const bool any_full = std::ranges::any_of(examined, [](const Trial* trial) { return trial->full(); });
  std::vector<ParetoPoint> points;
  for (const Trial* trial : examined) {
    if (any_full && !trial->full()) continue;
    const auto cost = cost_goal.number(trial->findings), value = value_goal.number(trial->findings);
    if (!cost || !value) continue;
    points.push_back({*cost, *value,
                      "trial " + std::to_string(trial->index) + ": " + core::significant(*value, 6) + " at " +
                          search::text_of(*trial, cost_goal),
                      trial->feasible(), on_front.contains(trial), trial->hash.hex() == winner});
  }
  const std::string axes = value_goal.text + " against " + cost_title;
  blocks.push_back({Heading{"Not dominated (" + (s.objective.several() ? s.objective.text() : axes) + ")"}});
  if (!points.empty())
    blocks.push_back({Figure{"Examined candidates: " + axes,
                             "pictures/pareto.svg",
                             pareto_svg(points, cost_title, value_goal.text),
                             {},
                             480}});
  if (s.objective.several()) {
    blocks.push_back({search::trial_table(front, s.objective, s.space)});
    return;
  }
  core::Table t{
      {{"trial", "trial"}, {"macs", "MACs"}, {"val_accuracy_percent", "val. accuracy %"}, {"params", "params"}}, {}};
  for (const Trial* trial : front)
    t.rows.push_back({core::cell(trial->index), metric_cell(*trial, "macs"), metric_cell(*trial, "val_accuracy"),
                      metric_cell(*trial, "params")});
  blocks.push_back({t});
}

}  // namespace

std::optional<Section> search_section(const Material& m) {
  if (!m.searched || m.searched->trials.empty()) return std::nullopt;
  const Searched& s = *m.searched;
  const Counts c = counts_of(s);
  Section section{"search", "Search", {}};
  section.blocks.push_back(
      {Paragraph{std::to_string(s.trials.size()) + " proposals: " + std::to_string(c.examined.size()) + " examined, " +
                 std::to_string(c.refused) + " refused before training, " + std::to_string(c.same) + " duplicates, " +
                 std::to_string(c.failed) + " failed. Objective: " + s.objective.text() +
                 ". Accuracies here are of short trainings on the validation part."}});
  if (!s.page.empty())
    section.blocks.push_back(
        {Link{"The page of the whole study: fronts, progress, every trial and why it was kept or not", s.page}});
  add_front(s, c.examined, m.hash, section.blocks);
  add_refusals(s, section.blocks);
  section.blocks.push_back({Heading{"Examined candidates"}});
  const core::Table table = examined_table(s, c.examined);
  if (c.examined.size() > kMostRows)
    section.blocks.push_back({Paragraph{"The best " + std::to_string(kMostRows) + " of " +
                                        std::to_string(c.examined.size()) + "; study.sqlite has all."}});
  if (table.rows.size() > kOpenRows)
    section.blocks.push_back({Details{std::to_string(table.rows.size()) + " candidates", {{table}}}});
  else
    section.blocks.push_back({table});
  return section;
}

}  // namespace condenser::report
