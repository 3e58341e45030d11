// Goals are read and valued here. Which trials count, and which is best, is the study's.

#include "condenser/search/objective.hpp"

#include <muparserx/mpParser.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <span>

#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

constexpr size_t kLongest = 1000;  // characters of an expression
const std::vector<std::string> kFunctions = {"abs", "exp", "ln", "log10", "log2", "max", "min", "sqrt"};
constexpr const char* kExpected = "expected a metric or an expression over metrics";

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

core::ConfigError unknown(const std::string& what, const std::string& name, const std::vector<std::string>& names) {
  const std::string near = core::config::nearest(name, names);
  return core::ConfigError("unknown " + what + " " + core::printable(name) +
                           (near.empty() ? "" : "; did you mean " + near) + "; expected one of " + core::join(names));
}

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool within_name(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The metrics that an expression names. Refuses everything but what expressions are made of, so that the parser behind
// never sees its other types (texts, matrices, assignments).
std::vector<const Metric*> metrics_in(const std::string& text) {
  std::vector<const Metric*> found;
  for (size_t at = 0; at < text.size();) {
    if (std::isdigit(static_cast<unsigned char>(text[at])) != 0 || text[at] == '.') {
      char* end = nullptr;
      std::strtod(text.c_str() + at, &end);
      at = std::max(at + 1, static_cast<size_t>(end - text.c_str()));
    } else if (starts_name(text[at])) {
      size_t end = at;
      while (end < text.size() && within_name(text[end])) ++end;
      const std::string name = text.substr(at, end - at);
      at = text.find_first_not_of(' ', end);
      if (at != std::string::npos && text[at] == '(') {
        if (std::ranges::find(kFunctions, name) == kFunctions.end()) throw unknown("function", name, kFunctions);
      } else {
        const Metric* metric = find_metric(name);
        if (metric == nullptr) throw unknown("metric", name, metric_names());
        if (std::ranges::find(found, metric) == found.end()) found.push_back(metric);
      }
      if (at == std::string::npos) break;
    } else if (std::string("+-*/^(), ").find(text[at]) != std::string::npos) {
      ++at;
    } else {
      throw core::ConfigError(core::printable(text) +
                              " has a character that means nothing here: " + core::printable(text.substr(at, 1)) +
                              "; expected numbers, metrics, + - * / ^ ( ) and " + core::join(kFunctions));
    }
  }
  return found;
}

const double* number_of(const Findings& findings, const Metric& metric) {
  const auto found = findings.metrics.find(metric.name);
  return found == findings.metrics.end() || std::isnan(found->second) ? nullptr : &found->second;
}

}  // namespace

// The library's parser, which one thread may use at a time.
class Formula {
 public:
  Formula(const std::string& text, const std::vector<const Metric*>& metrics)
      : parser_(mup::pckCOMMON | mup::pckNON_COMPLEX), values_(metrics.size(), mup::Value(0.0)) {
    for (size_t i = 0; i < metrics.size(); ++i) parser_.DefineVar(metrics[i]->name, mup::Variable(&values_[i]));
    parser_.SetExpr(text);
  }

  // Throws mup::ParserError for what is no expression.
  double operator()(std::span<const double> values) const {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = values[i];
    return parser_.Eval().GetFloat();
  }

 private:
  mutable std::mutex mutex_;
  mutable mup::ParserX parser_;
  mutable std::vector<mup::Value> values_;
};

namespace {

// Some value must come out for some network: tried with shares, counts and losses of all sizes.
void check_value(const Formula& formula, const std::vector<const Metric*>& metrics, const std::string& text) {
  for (const double size : {1e5, 1e3, 1e7, 0.5}) {
    std::vector<double> values;
    for (const Metric* metric : metrics) values.push_back(metric->unit == "%" ? 100 / (1 + 1 / size) : size);
    try {
      if (std::isfinite(formula(values))) return;
    } catch (const mup::ParserError& e) {
      throw core::ConfigError(core::printable(text) + " cannot be read: " + core::printable(e.GetMsg()) + "; " +
                              kExpected);
    }
  }
  throw core::ConfigError(core::printable(text) +
                          " has no value whatever its metrics are (a division by zero, or the " +
                          "logarithm of a negative number)");
}

Goal read_formula(const std::string& text) {
  if (text.size() > kLongest)
    throw core::ConfigError("an expression of " + std::to_string(text.size()) + " characters; expected at most " +
                            std::to_string(kLongest));
  Goal goal{.text = text, .metrics = metrics_in(text)};
  if (goal.metrics.empty())
    throw core::ConfigError(core::printable(text) + " is the same for every network; " + kExpected + " (" +
                            core::join(metric_names()) + ")");
  const auto formula = std::make_shared<const Formula>(text, goal.metrics);
  check_value(*formula, goal.metrics, text);
  goal.formula = formula;
  return goal;
}

template <class Item, class Items>
void add_once(std::vector<Item>& list, const Items& items) {
  for (const Item& item : items)
    if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

}  // namespace

Goal Goal::parse(const std::string& text) {
  std::string rest = trimmed(text);
  std::optional<bool> higher;
  for (const bool up : {false, true}) {
    const std::string word = up ? "maximize " : "minimize ";
    if (!rest.starts_with(word)) continue;
    higher = up;
    rest = trimmed(rest.substr(word.size()));
    break;
  }
  if (rest.empty())
    throw core::ConfigError(std::string("empty; ") + kExpected + " (" + core::join(metric_names()) + ")");
  const Metric* metric = find_metric(rest);
  Goal goal = metric != nullptr ? Goal{.text = rest, .metrics = {metric}} : read_formula(rest);
  const bool usual = metric == nullptr || metric->higher_is_better;
  goal.higher_is_better = higher.value_or(usual);
  if (goal.higher_is_better != usual) goal.text = (usual ? "minimize " : "maximize ") + rest;
  return goal;
}

std::optional<double> Goal::number(const Findings& findings) const {
  if (formula == nullptr) {
    const double* value = number_of(findings, *metrics.front());
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  std::vector<double> values;
  for (const Metric* metric : metrics) {
    const double* value = number_of(findings, *metric);
    if (value == nullptr) return std::nullopt;
    values.push_back(*value);
  }
  try {
    const double result = (*formula)(values);
    return std::isfinite(result) ? std::optional(result) : std::nullopt;
  } catch (const mup::ParserError&) {  // nothing of these numbers: no value
    return std::nullopt;
  }
}

std::optional<double> Goal::value(const Findings& findings) const {
  const std::optional<double> found = number(findings);
  return found && !higher_is_better ? -*found : found;
}

const Metric* Goal::metric() const { return formula == nullptr ? metrics.front() : nullptr; }

bool Goal::measured() const {
  return std::ranges::any_of(metrics, [](const Metric* metric) { return metric->of_design == nullptr; });
}

Objective::Objective() : Objective("val_accuracy") {}
Objective::Objective(const std::string& goal) : goals{Goal::parse(goal)} {}
Objective::Objective(const char* goal) : Objective(std::string(goal)) {}
Objective::Objective(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) goals.push_back(Goal::parse(text));
  if (goals.empty()) throw core::ConfigError(std::string("no objective; ") + kExpected);
}

std::optional<double> Objective::value(const Findings& findings) const { return goals.front().value(findings); }

std::optional<std::vector<double>> Objective::values(const Findings& findings) const {
  std::vector<double> all;
  for (const Goal& goal : goals) {
    const std::optional<double> value = goal.value(findings);
    if (!value) return std::nullopt;
    all.push_back(*value);
  }
  return all;
}

std::vector<Verdict> Objective::verdicts(const Findings& findings) const {
  std::vector<Verdict> all;
  for (const Constraint& constraint : constraints) all.push_back(constraint.verdict(findings));
  return all;
}

std::vector<const Metric*> Objective::metrics() const {
  std::vector<const Metric*> all;
  for (const Goal& goal : goals) add_once(all, goal.metrics);
  for (const Constraint& constraint : constraints) add_once(all, std::vector{constraint.metric});
  return all;
}

std::string Objective::text() const {
  std::vector<std::string> texts;
  for (const Goal& goal : goals) texts.push_back(goal.text);
  return core::join(texts);
}

namespace {

constexpr size_t kMostGoals = 4;

Goal read_goal(const core::config::Reader& reader, const std::string& key, const std::string& text) {
  try {
    return Goal::parse(text);
  } catch (const core::ConfigError& e) {
    throw core::ConfigError(reader.where(key) + ": " + key + ": " + e.what());
  }
}

void read_goals(core::config::Reader& reader, Objective& o) {
  const std::string usual = o.goals.front().text;
  std::string one = usual;
  std::vector<std::string> many;
  reader.text("objective", one,
              "what the winner has the best value of: a metric, or an expression over metrics "
              "(val_accuracy - 2*log10(params), minimize val_loss)");
  reader.texts("objectives", many,
               "two to four of them at once, instead of objective: a front is searched, not one winner");
  if (many.empty()) {
    o.goals = {read_goal(reader, "objective", one)};
    return;
  }
  if (one != usual) throw reader.error("objective", "not both objective and objectives");
  if (many.size() < 2 || many.size() > kMostGoals)
    throw reader.error("objectives", "two to " + std::to_string(kMostGoals) + " of them");
  o.goals.clear();
  for (const std::string& text : many) {
    Goal goal = read_goal(reader, "objectives", text);
    const auto same = [&](const Goal& other) { return other.text == goal.text; };
    if (std::ranges::any_of(o.goals, same)) throw reader.error("objectives", "each of them once");
    o.goals.push_back(std::move(goal));
  }
}

void read_constraints(core::config::Reader reader, std::vector<Constraint>& constraints) {
  for (const std::string& metric : reader.keys()) {
    std::string text;
    reader.text(metric, text, "what the measured metric must be, such as \">= 90\"");
    try {
      constraints.push_back(Constraint::parse(metric, text));
    } catch (const core::ConfigError& e) {
      throw core::ConfigError(reader.where(metric) + ": constraints: " + e.what());
    }
  }
}

}  // namespace

void read_options(core::config::Reader& reader, Objective& o) {
  read_goals(reader, o);
  o.constraints.clear();
  read_constraints(
      reader.section("constraints",
                     "what measured metrics must be, such as val_accuracy: \">= 90\"; a miss is not feasible"),
      o.constraints);
}

}  // namespace condenser::search
