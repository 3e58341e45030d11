#pragma once
// What a search can know about a candidate, as numbers with names. Objectives, budgets, tables and reports take names,
// directions and digits from this one table.

#include <cstdint>
#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/arch/machine_model.hpp"

namespace condenser::search {

struct Metric {
  std::string name;   // in findings and as `search.objective`: "val_accuracy"
  std::string key;    // of table columns for programs, with the unit: "val_accuracy_percent"
  std::string title;  // of table columns for people
  std::string unit;   // "%", "bytes", "parameters", "MACs"; "": none
  bool higher_is_better = true;
  int digits = 0;                   // behind the point, for people
  bool better_when_larger = false;  // larger networks are usually better: what a search believes before it measures
  // Known before training, -1: not from the design alone; null: found by a probe or from others.
  int64_t (*of_design)(const arch::Design&) = nullptr;
  // Of the gate's machine, with the arena's bytes; -1: not known there. Null: of no machine.
  int64_t (*of_machine)(const arch::MachineCosts&, int64_t arena_bytes) = nullptr;
};

const std::vector<Metric>& metrics();
const Metric* find_metric(const std::string& name);  // nullptr: none
std::vector<std::string> metric_names();

}  // namespace condenser::search
