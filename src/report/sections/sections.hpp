#pragma once
// The sections of a run's report, one file each. Absent: the stage that it tells of has not run.

#include <optional>

#include "condenser/core/text.hpp"
#include "condenser/report/material.hpp"

namespace condenser::report {

std::optional<Section> result_section(const Material&);
std::optional<Section> constraints_section(const Material&);
std::optional<Section> search_section(const Material&);
std::optional<Section> network_section(const Material&);
std::optional<Section> memory_section(const Material&);
std::optional<Section> training_section(const Material&);
std::optional<Section> classes_section(const Material&);
std::optional<Section> int8_section(const Material&);
std::optional<Section> proof_section(const Material&);
std::optional<Section> environment_section(const Material&);

std::vector<Fact> result_facts(const Material&);

// "98.75 % (1975 of 2000; 95 % interval 98.16 to 99.15)"
std::string accuracy_text(const quant::Accuracy&);

// A table of names and values.
class Pairs {
 public:
  void add(const std::string& what, const std::string& value) {
    table_.rows.push_back({core::cell(what), core::cell(value)});
  }
  Block block() const { return {table_}; }

 private:
  core::Table table_{{{"what", "what", false}, {"value", "value", false}}, {}};
};

}  // namespace condenser::report
