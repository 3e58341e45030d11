#pragma once
// Trials as rows of a table, with titles and digits from the table of metrics.

#include "condenser/core/table.hpp"
#include "condenser/search/study.hpp"

namespace condenser::search {

core::Column column_of(const Metric&);
core::Cell cell_of(const Trial&, const Metric&);             // empty where the trial has none
std::string text_of(const Trial&, const std::string& name);  // "98.75 %", "25,482 bytes", "-"
std::string text_of(const Trial&, const Goal&);              // of a metric the same; of an expression six digits
std::string goals_text(const Trial&, const Objective&);      // "val_accuracy 98.75 %, macs 1,234 MACs"

// A row for each: what became of it, the goals that are expressions, every metric that one of them has, its network
// and, with a space, its choices.
core::Table trial_table(const std::vector<const Trial*>&, const Objective&, const Space* = nullptr);
// Of the trials that were examined, copies left out.
core::Table trial_table(const std::vector<Trial>&, const Objective&);

}  // namespace condenser::search
