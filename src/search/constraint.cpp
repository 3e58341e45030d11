// Constraints on measured metrics. What they cost a candidate is the driver's and the generators'.

#include "condenser/search/constraint.hpp"

#include <cmath>
#include <cstdlib>

#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

std::string measured_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics())
    if (metric.of_design == nullptr) names.push_back(metric.name);
  return core::join(names);
}

const Metric& measured_metric(const std::string& name) {
  const Metric* metric = find_metric(name);
  if (metric == nullptr) {
    const std::string near = core::config::nearest(name, metric_names());
    throw core::ConfigError("unknown metric " + core::printable(name) + (near.empty() ? "" : "; did you mean " + near) +
                            "; expected one of " + measured_names());
  }
  if (metric->of_design != nullptr)
    throw core::ConfigError(name + " is known before anything is measured; use the budget gate.max_" + name);
  return *metric;
}

std::string value_text(double value, const Metric& metric) {
  const std::string number = core::fixed(value, metric.digits);
  return metric.unit.empty() ? number : number + " " + metric.unit;
}

}  // namespace

Constraint Constraint::parse(const std::string& metric, const std::string& text) {
  Constraint c{.metric = &measured_metric(metric)};
  const auto wrong = [&] {
    return core::ConfigError(core::printable(text) + " is no comparison; expected >=, >, <= or < and a number, " +
                             "such as \">= 90\"");
  };
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos || (text[first] != '<' && text[first] != '>')) throw wrong();
  c.at_least = text[first] == '>';
  c.strict = first + 1 >= text.size() || text[first + 1] != '=';
  const std::string number = text.substr(first + (c.strict ? 1 : 2));
  char* end = nullptr;
  c.limit = std::strtod(number.c_str(), &end);
  if (end == number.c_str() || !std::isfinite(c.limit) || std::string(end).find_first_not_of(' ') != std::string::npos)
    throw wrong();
  return c;
}

std::string Constraint::rule() const { return (at_least ? "min_" : "max_") + metric->name; }

std::string Constraint::limit_text() const {
  const char* words = at_least ? (strict ? "more than " : "at least ") : (strict ? "less than " : "at most ");
  return words + core::number(limit) + (metric->unit.empty() ? "" : " " + metric->unit);
}

std::string Constraint::text() const {
  return metric->name + (at_least ? " >" : " <") + (strict ? " " : "= ") + core::number(limit);
}

bool Constraint::met(double value) const {
  if (strict) return at_least ? value > limit : value < limit;
  return at_least ? value >= limit : value <= limit;
}

Verdict Constraint::verdict(const Findings& findings) const {
  const auto found = findings.metrics.find(metric->name);
  if (found == findings.metrics.end()) return {rule(), false, "", metric->name + " was not measured", limit_text()};
  return {rule(), met(found->second), "", value_text(found->second, *metric), limit_text()};
}

double probability(double mean, double deviation, double limit, bool at_least) {
  const double above = at_least ? mean - limit : limit - mean;
  if (!(deviation > 0)) return above >= 0 ? 1 : 0;
  return 0.5 * std::erfc(-above / deviation * 0.7071067811865476);
}

}  // namespace condenser::search
