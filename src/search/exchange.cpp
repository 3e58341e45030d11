// Exports and imports. The keys that both share stand here once.

#include "condenser/search/exchange.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "condenser/core/csv.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/fate.hpp"
#include "condenser/search/trial_table.hpp"
#include "search/derived.hpp"

namespace condenser::search {
namespace {

using core::ConfigError;
using nlohmann::json;
using nlohmann::ordered_json;

// Columns of an export besides decisions and metrics, in their order; and where decisions and metrics stand.
constexpr const char* kBefore[] = {"trial", "state", "feasible", "rung", "fidelity", "same_as", "network"};
constexpr const char* kBehind[] = {"forecast_value", "forecast_low", "forecast_high", "forecast_gain", "by",
                                   "reason",         "broken",       "error",         "worker",        "tries",
                                   "seconds"};
// Keys that a trial has in JSON only.
constexpr const char* kJsonOnly[] = {"choices", "metrics", "forecast", "verdicts", "node_scores", "curves"};

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = core::config::nearest(word, known);
  return near.empty() ? "" : "; did you mean " + core::printable(near) + "?";
}

std::vector<std::string> option_texts(const Decision& decision) {
  std::vector<std::string> texts;
  for (int i = 0; i < std::ssize(decision.options); ++i) texts.push_back(option_text(decision, i));
  return texts;
}

// Keys that are there twice would hide one another.
json parse_strictly(const std::string& text, const std::string& where) {
  std::vector<std::set<std::string>> open;
  const auto look = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
      throw ConfigError(where + ": " + core::printable(value.get<std::string>()) + " is there twice; expected once");
    return true;
  };
  try {
    return json::parse(text, look);
  } catch (const json::exception& e) {
    const std::string what = e.what();
    const size_t told = what.find("] ");
    throw ConfigError(where +
                      ": is no JSON: " + core::printable(told == std::string::npos ? what : what.substr(told + 2)));
  }
}

std::string shown(const json& value) {
  return core::printable(value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 80));
}

// Numbers as they are called in a space; text as it is.
std::string word_of(const json& value, const std::string& name) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer() || value.is_boolean()) return value.dump();
  if (value.is_number()) return core::number(value.get<double>());
  throw ConfigError(core::printable(name) + " = " + shown(value) + "; expected the name or the number of an option");
}

double number_in(const json& value, const std::string& name) {
  if (value.is_number()) return value.get<double>();
  throw ConfigError(core::printable(name) + " = " + shown(value) + "; expected a number");
}

const json& object_in(const json& value, const std::string& name) {
  if (value.is_object()) return value;
  throw ConfigError(core::printable(name) + " = " + shown(value) + "; expected an object");
}

std::map<std::string, std::string> words_in(const json& object) {
  std::map<std::string, std::string> words;
  for (const auto& [name, value] : object.items()) words[name] = word_of(value, name);
  return words;
}

core::Cell number_cell(double value) {
  if (!std::isfinite(value)) return {"null", core::number(value)};
  return {core::number(value), core::number(value)};
}

core::Cell number_cell(const Trial& trial, const Metric& metric) {
  const auto found = trial.findings.metrics.find(metric.name);
  return found == trial.findings.metrics.end() ? core::empty_cell() : number_cell(found->second);
}

core::Cell text_cell(const std::string& text) { return text.empty() ? core::empty_cell() : core::cell(text); }
core::Cell truth_cell(bool value) { return {value ? "true" : "false", value ? "yes" : "no"}; }
std::string network_of(const Trial& trial) { return trial.hash == core::Hash128{} ? "" : trial.hash.hex(); }

std::vector<const Metric*> found_metrics(const std::vector<Trial>& trials) {
  std::vector<const Metric*> list;
  for (const Metric& metric : metrics()) {
    const auto has = [&](const Trial& t) { return t.findings.metrics.contains(metric.name); };
    if (std::ranges::any_of(trials, has)) list.push_back(&metric);
  }
  return list;
}

std::string decision_name(const Space* space, size_t i) {
  return space != nullptr ? space->decisions()[i].name : "choice_" + std::to_string(i);
}

core::Cell option_cell(const Space* space, size_t i, int choice) {
  if (space == nullptr) return core::cell(int64_t{choice});
  const Decision& decision = space->decisions()[i];
  return decision.labels.empty() ? core::Cell{option_text(decision, choice), option_text(decision, choice)}
                                 : core::cell(option_text(decision, choice));
}

std::vector<core::Cell> forecast_cells(const Trial& trial) {
  if (!trial.forecast) return std::vector<core::Cell>(4, core::empty_cell());
  const Forecast& f = *trial.forecast;
  return {number_cell(f.value), number_cell(f.low), number_cell(f.high), number_cell(f.gain)};
}

std::vector<core::Cell> row_of(const Trial& t, const Space* space, const std::vector<const Metric*>& known) {
  std::vector<core::Cell> row{core::Cell{std::to_string(t.index), std::to_string(t.index)},
                              core::cell(to_string(t.state)),
                              truth_cell(t.feasible()),
                              core::cell(int64_t{t.rung}),
                              number_cell(t.fidelity),
                              t.same_as < 0 ? core::empty_cell() : core::cell(t.same_as),
                              text_cell(network_of(t))};
  for (size_t i = 0; i < t.genotype.choice.size(); ++i) row.push_back(option_cell(space, i, t.genotype.choice[i]));
  for (const Metric* metric : known) row.push_back(number_cell(t, *metric));
  for (core::Cell& cell : forecast_cells(t)) row.push_back(std::move(cell));
  for (const std::string& text : {t.by, t.reason, broken_text(t), t.error, t.worker}) row.push_back(text_cell(text));
  row.push_back(core::cell(int64_t{t.tries}));
  row.push_back(number_cell(t.seconds));
  return row;
}

// Counts without a point.
ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::round(value) && std::abs(value) < 1e15) return static_cast<int64_t>(value);
  return value;
}

ordered_json json_numbers(const std::map<std::string, double>& values) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : values) object[name] = json_number(value);
  return object;
}

ordered_json json_choices(const Trial& trial, const Space* space) {
  ordered_json choices = ordered_json::object();
  for (size_t i = 0; i < trial.genotype.choice.size(); ++i)
    choices[decision_name(space, i)] = ordered_json::parse(option_cell(space, i, trial.genotype.choice[i]).json);
  return choices;
}

ordered_json json_metrics(const Trial& trial) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : trial.findings.metrics) {
    const Metric* metric = find_metric(name);
    object[metric != nullptr ? metric->key : name] = json_number(value);
  }
  return object;
}

ordered_json json_of(const Trial& t, const Space* space) {
  ordered_json j{{"trial", t.index},         {"state", to_string(t.state)},         {"feasible", t.feasible()},
                 {"rung", t.rung},           {"fidelity", json_number(t.fidelity)}, {"same_as", nullptr},
                 {"network", network_of(t)}, {"choices", json_choices(t, space)},   {"metrics", json_metrics(t)},
                 {"forecast", nullptr}};
  if (t.same_as >= 0) j["same_as"] = t.same_as;
  if (t.forecast)
    j["forecast"] = {{"value", json_number(t.forecast->value)},
                     {"low", json_number(t.forecast->low)},
                     {"high", json_number(t.forecast->high)},
                     {"gain", json_number(t.forecast->gain)}};
  j["by"] = t.by;
  j["reason"] = t.reason;
  j["verdicts"] = ordered_json::array();
  for (const Verdict& v : t.verdicts)
    j["verdicts"].push_back(
        {{"rule", v.rule}, {"passed", v.passed}, {"node", v.node}, {"value", v.value}, {"limit", v.limit}});
  j["error"] = t.error;
  j["node_scores"] = json_numbers(t.findings.node_scores);
  j["curves"] = ordered_json::object();
  for (const auto& [name, values] : t.findings.curves) {
    j["curves"][name] = ordered_json::array();
    for (const double value : values) j["curves"][name].push_back(json_number(value));
  }
  j["worker"] = t.worker;
  j["tries"] = t.tries;
  j["seconds"] = json_number(t.seconds);
  return j;
}

const Metric* metric_called(const std::string& name) {
  for (const Metric& metric : metrics())
    if (name == metric.name || name == metric.key) return &metric;
  return nullptr;
}

bool is_of_export(const std::string& name) {
  const auto in = [&](const auto& list) { return std::ranges::find(list, name) != std::end(list); };
  return in(kBefore) || in(kBehind);
}

// One design of a file, in words, whichever form it has.
struct Row {
  std::map<std::string, std::string> options;  // by decision
  std::map<std::string, double> metrics;       // by name, costs too
  std::map<std::string, double> node_scores;
  std::map<std::string, std::vector<double>> curves;
  std::string state = "done", where;
  double fidelity = 1;
};

bool has_decision(const Space& space, const std::string& name) {
  return std::ranges::find(space.decisions(), name, &Decision::name) != space.decisions().end();
}

// Of a column or a key that is neither.
ConfigError unknown(const Space& space, const std::string& name, const std::string& where) {
  std::vector<std::string> known, shown_names;
  for (const Decision& decision : space.decisions()) known.push_back(decision.name);
  for (const Metric& metric : metrics()) known.insert(known.end(), {metric.name, metric.key});
  return ConfigError(where + ": " + core::printable(name) + ": no decision of the space and no metric" +
                     did_you_mean(name, known));
}

void add(KnownFile& file, const Space& space, const Row& row) {
  if (row.state != "done" || row.fidelity < 1) {
    ++file.left_out;
    return;
  }
  Known known;
  known.where = row.where;
  try {
    known.genotype = parse_genotype(space, row.options);
  } catch (const core::Error& e) {
    throw ConfigError(row.where + ": " + e.what());
  }
  for (const auto& [name, value] : row.metrics) {
    const Metric* metric = find_metric(name);
    if (metric->of_design != nullptr)
      known.costs[name] = value;
    else if (source_of(*metric) == nullptr)
      known.findings.metrics[name] = value;
  }
  known.findings.node_scores = row.node_scores;
  known.findings.curves = row.curves;
  file.designs.push_back(std::move(known));
}

double parse_number(const std::string& text, const std::string& name, const std::string& where) {
  try {
    size_t end = 0;
    const double value = std::stod(text, &end);
    if (end == text.size()) return value;
  } catch (const std::exception&) {
  }
  throw ConfigError(where + ": " + core::printable(name) + " = " + core::printable(text.substr(0, 80)) +
                    "; expected a number");
}

// Exports write an apostrophe before what a spreadsheet would take for a formula.
std::string without_apostrophe(const std::string& field) {
  const bool written =
      field.size() > 1 && field[0] == '\'' && std::string_view("=+-@").find(field[1]) != std::string::npos;
  return written ? field.substr(1) : field;
}

class CsvRows {
 public:
  CsvRows(const Space& space, const std::filesystem::path& file, KnownFile& known)
      : space_(space), file_(file), known_(known) {}

  void row(int64_t line, const std::vector<std::string>& fields) {
    const std::string where = core::printable(file_.string()) + ":" + std::to_string(line);
    if (columns_.empty()) return head(where, fields);
    if (fields.size() != columns_.size())
      throw ConfigError(where + ": " + std::to_string(fields.size()) + " fields; expected " +
                        std::to_string(columns_.size()) + ", as in the first line");
    Row row;
    row.where = where;
    for (size_t i = 0; i < fields.size(); ++i) take(row, columns_[i], without_apostrophe(fields[i]));
    add(known_, space_, row);
  }

 private:
  void head(const std::string& where, const std::vector<std::string>& fields) {
    for (const std::string& name : fields) {
      if (std::ranges::find(columns_, name) != columns_.end())
        throw ConfigError(where + ": column " + core::printable(name) + " is there twice; expected once");
      if (!has_decision(space_, name) && metric_called(name) == nullptr && !is_of_export(name))
        throw unknown(space_, name, where);
      columns_.push_back(name);
    }
  }

  void take(Row& row, const std::string& name, const std::string& field) {
    if (has_decision(space_, name)) {
      row.options[name] = field;
    } else if (const Metric* metric = metric_called(name)) {
      if (!field.empty()) row.metrics[metric->name] = parse_number(field, name, row.where);
    } else if (name == "state") {
      row.state = field;
    } else if (name == "fidelity") {
      row.fidelity = parse_number(field, name, row.where);
    }
  }

  const Space& space_;
  const std::filesystem::path& file_;
  KnownFile& known_;
  std::vector<std::string> columns_;
};

void add_metric(Row& row, const Metric& metric, const json& value, const std::string& name) {
  if (!value.is_null()) row.metrics[metric.name] = number_in(value, name);
}

void add_metrics(Row& row, const Space& space, const json& object) {
  for (const auto& [name, value] : object.items()) {
    const Metric* metric = metric_called(name);
    if (metric == nullptr) throw unknown(space, name, row.where);
    add_metric(row, *metric, value, name);
  }
}

void add_curves(Row& row, const json& object) {
  for (const auto& [name, values] : object.items())
    for (const json& value : values)
      row.curves[name].push_back(value.is_null() ? std::nan("") : number_in(value, name));
}

// Keys are those of an export, or decisions and metrics side by side.
void add_key(Row& row, const Space& space, const std::string& name, const json& value) {
  const Metric* metric = metric_called(name);
  if (has_decision(space, name))
    row.options[name] = word_of(value, name);
  else if (metric != nullptr)
    add_metric(row, *metric, value, name);
  else if (name == "choices")
    row.options.merge(words_in(object_in(value, name)));
  else if (name == "metrics")
    add_metrics(row, space, object_in(value, name));
  else if (name == "state")
    row.state = word_of(value, name);
  else if (name == "fidelity")
    row.fidelity = number_in(value, name);
  else if (name == "node_scores")
    for (const auto& [node, score] : object_in(value, name).items()) row.node_scores[node] = number_in(score, node);
  else if (name == "curves")
    add_curves(row, object_in(value, name));
  else if (!is_of_export(name) && std::ranges::find(kJsonOnly, name) == std::end(kJsonOnly))
    throw unknown(space, name, row.where);
}

// A list of designs, or an export, which has them as "trials".
void read_json(KnownFile& known, const Space& space, const std::string& text, const std::filesystem::path& file) {
  const std::string where = core::printable(file.string());
  json all = parse_strictly(text, where);
  if (all.is_object() && all.contains("trials")) all = json(all["trials"]);
  if (all.is_object()) all = json::array({all});
  if (!all.is_array()) throw ConfigError(where + ": " + shown(all) + "; expected a list of designs");
  for (size_t i = 0; i < all.size(); ++i) {
    Row row;
    row.where = where + ": design " + std::to_string(i);
    if (!all[i].is_object()) throw ConfigError(row.where + ": " + shown(all[i]) + "; expected an object");
    try {
      for (const auto& [name, value] : all[i].items()) add_key(row, space, name, value);
    } catch (const ConfigError& e) {
      const std::string what = e.what();
      throw ConfigError(what.starts_with(row.where) ? what : row.where + ": " + what);
    }
    add(known, space, row);
  }
}

}  // namespace

Genotype read_genotype(const Space& space, const std::string& text, const std::string& where) {
  const json object = parse_strictly(text, where);
  if (!object.is_object()) throw ConfigError(where + ": " + shown(object) + "; expected {\"decision\": option, ...}");
  try {
    return parse_genotype(space, words_in(object));
  } catch (const core::Error& e) {
    throw ConfigError(where + ": " + e.what());
  }
}

std::map<std::string, double> read_numbers(const std::string& text, const std::string& where) {
  const json object = parse_strictly(text, where);
  if (!object.is_object()) throw ConfigError(where + ": " + shown(object) + "; expected {\"name\": number, ...}");
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_number())
      throw ConfigError(where + ": " + core::printable(name) + " = " + shown(value) + "; expected a number");
    numbers[name] = value.get<double>();
  }
  return numbers;
}

core::Table export_table(const std::vector<Trial>& trials, const Space* space) {
  const std::vector<const Metric*> known = found_metrics(trials);
  core::Table table;
  const auto column = [&](const std::string& name) { table.columns.push_back({name, name, false}); };
  for (const char* name : kBefore) column(name);
  const size_t decisions = space != nullptr ? space->decisions().size()
                           : trials.empty() ? 0
                                            : trials[0].genotype.choice.size();
  for (size_t i = 0; i < decisions; ++i) column(decision_name(space, i));
  for (const Metric* metric : known) column(metric->key);
  for (const char* name : kBehind) column(name);
  for (const Trial& trial : trials) table.rows.push_back(row_of(trial, space, known));
  return table;
}

std::string export_json(const std::vector<Trial>& trials, const Space* space, const std::string& objective) {
  ordered_json j{{"schema_version", 1}, {"objective", objective}, {"decisions", ordered_json::array()}};
  if (space != nullptr)
    for (const Decision& decision : space->decisions())
      j["decisions"].push_back({{"name", decision.name}, {"options", option_texts(decision)}});
  j["trials"] = ordered_json::array();
  for (const Trial& trial : trials) j["trials"].push_back(json_of(trial, space));
  return core::json_visible(j.dump(1, ' ', false, ordered_json::error_handler_t::replace)) + "\n";
}

KnownFile read_known(const Space& space, const std::string& text, const std::filesystem::path& file) {
  KnownFile known;
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string::npos && (text[first] == '{' || text[first] == '[')) {
    read_json(known, space, text, file);
    return known;
  }
  CsvRows rows(space, file, known);
  core::read_csv(
      text, file, [&](int64_t line, const std::vector<std::string>& fields) { rows.row(line, fields); },
      core::separator_of(text));
  return known;
}

}  // namespace condenser::search
