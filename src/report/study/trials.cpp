// Every trial as a row of the page, and the table that shows them.

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/table.hpp"
#include "condenser/search/fate.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

constexpr size_t kSome = 50;

template <class Value>
RowColumn numbers(const Study& s, RowColumn column, const Value& value) {
  column.numbers.reserve(s.trials.size());
  for (size_t k = 0; k < s.trials.size(); ++k) column.numbers.push_back(value(k));
  return column;
}

template <class Value>
RowColumn texts(const Study& s, RowColumn column, const Value& value) {
  column.texts.reserve(s.trials.size());
  for (size_t k = 0; k < s.trials.size(); ++k) column.texts.push_back(value(s.trials[k]));
  return column;
}

bool empty(const RowColumn& column) {
  return column.fields.empty() &&
         std::none_of(column.numbers.begin(), column.numbers.end(), [](double v) { return std::isfinite(v); }) &&
         std::all_of(column.texts.begin(), column.texts.end(), [](const std::string& t) { return t.empty(); });
}

// Metrics and probe values of any trial that are neither the objective nor a cost.
std::set<std::string> other_metrics(const Study& s) {
  std::set<std::string> names;
  for (const Trial& trial : s.trials)
    for (const auto& [name, value] : trial.findings.metrics) names.insert(name);
  if (s.objective != nullptr) names.erase(s.objective->name);
  for (const search::Metric* cost : s.costs) names.erase(cost->name);
  return names;
}

std::string key_of(const std::string& name) {
  std::string key;
  for (const char c : name) key += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
  return key;
}

RowColumn metric_column(const Study& s, const std::string& name) {
  const search::Metric* metric = search::find_metric(name);
  RowColumn column{.key = key_of(name), .title = metric != nullptr ? metric->title : name};
  if (metric != nullptr) column.unit = metric->unit;
  column.digits = metric != nullptr ? metric->digits : -1;
  return numbers(s, column, [&](size_t k) { return metric_of(s.trials[k], name); });
}

RowColumn choices_column(const Study& s) {
  RowColumn column{.key = "choices", .title = "choices", .in_table = false};
  column.fields = fields_of(s);
  for (const Trial& trial : s.trials) column.choices.push_back(trial.genotype.choice);
  return column;
}

// At a lower rung a value has a column of its own: it is no measure of the objective.
double lower_value(const Study& s, size_t k) {
  const Trial& trial = s.trials[k];
  const auto value = trial.full() ? std::nullopt : s.goal.number(trial.findings);
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

void add_forecast(const Study& s, const RowColumn& like, std::vector<RowColumn>& columns) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto part = [&](double search::Forecast::*field) {
    return [&s, field](size_t k) { return s.trials[k].forecast ? (*s.trials[k].forecast).*field : kNone; };
  };
  RowColumn c = like;
  c.in_hover = c.in_table = false;
  c.key = "forecast";
  c.title = "foretold";
  columns.push_back(numbers(s, c, part(&search::Forecast::value)));
  c.key = "forecast_low";
  c.title = "foretold, one deviation less";
  columns.push_back(numbers(s, c, part(&search::Forecast::low)));
  c.key = "forecast_high";
  c.title = "foretold, one deviation more";
  columns.push_back(numbers(s, c, part(&search::Forecast::high)));
}

core::Table some_of(const Study& s) {
  core::Table t{{{"trial", "trial"}, {"objective", s.objective_title}}, {}};
  for (const search::Metric* cost : s.costs) t.columns.push_back({cost->key, cost->title});
  t.columns.push_back({"by", "by", false});
  for (const Trial* trial : s.ranked) {
    if (t.rows.size() == kSome) break;
    const double value = s.value[s.at(*trial)];
    std::vector<core::Cell> row{core::cell(trial->index), {core::number(value), number_text(value, s.objective)}};
    for (const search::Metric* cost : s.costs) {
      const double c = metric_of(*trial, cost->name);
      row.push_back(std::isnan(c) ? core::empty_cell() : core::Cell{core::number(c), number_text(c, cost)});
    }
    row.push_back(core::cell(search::proposer_of(*trial)));
    t.rows.push_back(std::move(row));
  }
  return t;
}

}  // namespace

PageRows rows_of(const Study& s) {
  PageRows rows{s.trials.size(), {}, "trial"};
  auto& columns = rows.columns;
  columns.push_back(numbers(s, {.key = "trial", .title = "trial", .in_hover = true},
                            [&](size_t k) { return static_cast<double>(s.trials[k].index); }));
  columns.push_back(texts(s, {.key = "state", .title = "state", .in_hover = true}, state_text));
  RowColumn objective{
      .key = "objective", .title = s.objective != nullptr ? s.objective->title : s.goal.text, .in_hover = true};
  objective.unit = s.objective != nullptr ? s.objective->unit : "";
  objective.digits = s.objective != nullptr ? s.objective->digits : -1;
  columns.push_back(numbers(s, objective, [&](size_t k) { return s.value[k]; }));
  for (const search::Metric* cost : s.costs) {
    columns.push_back(metric_column(s, cost->name));
    columns.back().key = cost->name;
    columns.back().in_hover = true;
  }
  columns.push_back(texts(s, {.key = "by", .title = "by"}, search::proposer_of));
  columns.push_back(
      texts(s, {.key = "fate", .title = "what became of it"}, [&](const Trial& t) { return fate_text(s, t); }));
  for (const std::string& name : other_metrics(s)) columns.push_back(metric_column(s, name));
  columns.push_back(texts(s, {.key = "reason", .title = "proposed because", .in_table = false},
                          [](const Trial& t) { return t.reason; }));
  if (s.rungs.size() > 1) {
    columns.push_back(numbers(s, {.key = "rung", .title = "rung"}, [&](size_t k) { return s.trials[k].rung; }));
    RowColumn lower = objective;
    lower.key = "objective_lower";
    lower.title += " at a lower rung";
    lower.in_hover = false;
    columns.push_back(numbers(s, lower, [&](size_t k) { return lower_value(s, k); }));
  }
  add_forecast(s, objective, columns);
  columns.push_back(numbers(s, {.key = "seconds", .title = "examination", .unit = "s", .digits = 1, .in_table = false},
                            [&](size_t k) { return s.trials[k].examined() ? s.trials[k].seconds : 0; }));
  const Clock clock = clock_of(s);
  columns.push_back(numbers(
      s,
      {.key = "passed", .title = "known after", .unit = clock.unit + " of examination", .digits = 2, .in_table = false},
      [&](size_t k) { return s.seconds[k] / clock.seconds; }));
  columns.push_back(
      texts(s, {.key = "worker", .title = "worker", .in_table = false}, [](const Trial& t) { return t.worker; }));
  columns.push_back(choices_column(s));
  std::erase_if(columns, empty);
  return rows;
}

std::optional<Section> trials_section(const Study& s) {
  Section section{"trials", "Trials", {}};
  section.blocks.push_back({Paragraph{
      "Every trial, a row each. A heading sorts; a number opens the row. The field takes words that a row must have "
      "and "
      "comparisons of numbers: \"pool params<20000\" are the rows by the pool with less than 20,000 parameters."}});
  section.blocks.push_back(
      {RowBrowser{some_of(s), "The best " + std::to_string(std::min(kSome, s.ranked.size())) + " of " +
                                  core::thousands(static_cast<int64_t>(s.trials.size())) + " trials"}});
  return section;
}

}  // namespace condenser::report
