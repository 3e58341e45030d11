#pragma once
// What a measured metric must be, whatever the objective says: an accuracy floor, a loss below a limit. Hard once it is
// measured; before that a probability.

#include <optional>
#include <string>
#include <vector>

#include "condenser/search/gate.hpp"

namespace condenser::search {

struct Constraint {
  const Metric* metric = nullptr;
  bool at_least = true;  // the limit is the least value, else the greatest
  bool strict = false;   // the limit itself misses
  double limit = 0;      // in the metric's unit

  // `text`: "> 90", ">= 90", "< 0.5" or "<= 0.5". Throws ConfigError: a metric that no probe measures (the gate has
  // budgets for costs) or that is unknown (the nearest is named), no comparison, no finite number.
  static Constraint parse(const std::string& metric, const std::string& text);
  std::string rule() const;        // "min_val_accuracy", "max_val_loss"
  std::string limit_text() const;  // "at least 90.00 %", "less than 0.5000"
  std::string text() const;        // as in a run file: "val_accuracy >= 90"
  bool met(double value) const;    // false for NaN
  // Not measured is a miss.
  Verdict verdict(const Findings&) const;
  bool operator==(const Constraint&) const = default;
};

// Of values that are normally distributed around a mean: that one is at least (at most) the limit. All in one unit.
// Without deviation 1 or 0; a mean at the limit meets it.
double probability(double mean, double deviation, double limit, bool at_least);

}  // namespace condenser::search
