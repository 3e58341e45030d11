#pragma once
// What a search makes as good as possible: one goal, or several at once, under constraints on what is measured.
//
//   val_accuracy                                       a metric; the table of metrics says which way is better
//   val_accuracy - 2*log10(params) - 0.5*log10(macs)   an expression over metrics, made as high as possible
//   minimize val_loss + 0.1*log10(macs)                one made as low as possible
//
// Expressions have numbers, metrics, + - * / ^ ( ) and the functions abs, exp, ln, log10, log2, max, min and sqrt.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/search/constraint.hpp"

namespace condenser::search {

class Formula;  // private to objective.cpp

struct Goal {
  std::string text;                    // in one form: "val_accuracy", "minimize log10(macs)"
  std::vector<const Metric*> metrics;  // that it is made of, each once, in the order of their first mention
  bool higher_is_better = true;
  std::shared_ptr<const Formula> formula;  // null: the one metric itself

  // Throws ConfigError: nothing, unknown names (the nearest is named), a syntax error, no metric in it, no value
  // whatever the metrics are (a division by zero).
  static Goal parse(const std::string& text);
  // In its own unit; none where a metric is missing or not a number, or the result is not finite. Many threads may ask.
  std::optional<double> number(const Findings&) const;
  std::optional<double> value(const Findings&) const;  // higher is better
  const Metric* metric() const;                        // where it is one metric; else nullptr
  bool measured() const;  // some of its metrics are not known before a probe has measured them
};

struct Objective {
  std::vector<Goal> goals;  // at least one
  std::vector<Constraint> constraints;

  Objective();                         // val_accuracy
  Objective(const std::string& goal);  // NOLINT: a text is an objective; throws what Goal::parse throws
  Objective(const char* goal);         // NOLINT
  explicit Objective(const std::vector<std::string>& goals);

  bool several() const { return goals.size() > 1; }
  std::optional<double> value(const Findings&) const;                // of the first goal, higher is better
  std::optional<std::vector<double>> values(const Findings&) const;  // of all goals; none where one has none
  std::vector<Verdict> verdicts(const Findings&) const;              // of the constraints, each
  std::vector<const Metric*> metrics() const;                        // of goals and constraints, each once
  std::string text() const;                                          // "val_accuracy", "val_accuracy, macs"
};

// The keys objective, objectives and constraints of a section. Throws ConfigError with the place.
void read_options(core::config::Reader&, Objective&);

}  // namespace condenser::search
