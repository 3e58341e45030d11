// Tables of trials.

#include "condenser/search/trial_table.hpp"

#include <algorithm>

#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

const double* value_of(const Trial& trial, const std::string& name) {
  const auto found = trial.findings.metrics.find(name);
  return found == trial.findings.metrics.end() ? nullptr : &found->second;
}

constexpr int kDigits = 6;  // of an expression, for people

core::Cell cell_of(const Trial& trial, const Goal& goal) {
  const std::optional<double> value = goal.number(trial.findings);
  return value ? core::significant_cell(*value, kDigits) : core::empty_cell();
}

}  // namespace

core::Column column_of(const Metric& metric) { return {metric.key, metric.title}; }

core::Cell cell_of(const Trial& trial, const Metric& metric) {
  const double* value = value_of(trial, metric.name);
  if (value == nullptr) return core::empty_cell();
  return metric.digits == 0 ? core::cell(static_cast<int64_t>(*value)) : core::cell(*value, metric.digits);
}

std::string text_of(const Trial& trial, const std::string& name) {
  const double* value = value_of(trial, name);
  if (value == nullptr) return "-";
  const Metric* metric = find_metric(name);
  if (metric == nullptr) return core::number(*value);
  const std::string number =
      metric->digits == 0 ? core::thousands(static_cast<int64_t>(*value)) : core::fixed(*value, metric->digits);
  return metric->unit.empty() ? number : number + " " + metric->unit;
}

std::string text_of(const Trial& trial, const Goal& goal) {
  if (goal.metric() != nullptr) return text_of(trial, goal.metric()->name);
  const std::optional<double> value = goal.number(trial.findings);
  return value ? core::significant(*value, kDigits) : "-";
}

std::string goals_text(const Trial& trial, const Objective& objective) {
  std::vector<std::string> texts;
  for (const Goal& goal : objective.goals) texts.push_back(goal.text + " " + text_of(trial, goal));
  return core::join(texts);
}

core::Table trial_table(const std::vector<const Trial*>& trials, const Objective& objective, const Space* space) {
  std::vector<const Goal*> expressions;
  std::vector<core::Column> titles;
  for (size_t g = 0; g < objective.goals.size(); ++g) {
    const Goal& goal = objective.goals[g];
    if (goal.metric() != nullptr) continue;
    expressions.push_back(&goal);
    titles.push_back({objective.several() ? "objective_" + std::to_string(g + 1) : "objective", goal.text});
  }
  std::vector<const Metric*> known;
  for (const Metric& metric : metrics()) {
    const auto has_it = [&](const Trial* t) { return value_of(*t, metric.name) != nullptr; };
    if (std::ranges::any_of(trials, has_it)) known.push_back(&metric);
  }
  core::Table table{{{"trial", "trial"}, {"state", "state", false}}, {}};
  table.columns.insert(table.columns.end(), titles.begin(), titles.end());
  for (const Metric* metric : known) table.columns.push_back(column_of(*metric));
  table.columns.push_back({"hash", "network", false});
  if (space != nullptr) table.columns.push_back({"choices", "choices", false});
  for (const Trial* trial : trials) {
    std::vector<core::Cell> row{core::cell(trial->index),
                                core::cell(trial->feasible() ? "feasible" : to_string(trial->state))};
    for (const Goal* goal : expressions) row.push_back(cell_of(*trial, *goal));
    for (const Metric* metric : known) row.push_back(cell_of(*trial, *metric));
    row.push_back(core::cell(trial->hash.hex().substr(0, 12)));
    if (space != nullptr) row.push_back(core::cell(to_text(*space, trial->genotype)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

core::Table trial_table(const std::vector<Trial>& trials, const Objective& objective) {
  std::vector<const Trial*> examined;
  for (const Trial& trial : trials)
    if (trial.examined()) examined.push_back(&trial);
  return trial_table(examined, objective);
}

}  // namespace condenser::search
