#pragma once
// Proof of an export: compile it, run it, demand equality of every output integer.

#include <filesystem>
#include <string>
#include <vector>

#include "condenser/core/table.hpp"
#include "condenser/exporters/target.hpp"

namespace condenser::verify {

struct Check {
  std::string name;  // "gcc -O2", "clang -O2", "gcc sanitizers"
  bool ran = false;  // false: tool missing, see `detail`
  bool passed = false;
  int64_t samples = 0;
  int64_t differing_values = 0;
  double accuracy_percent = 0;  // over samples with labels
  std::string detail;
};

// Compiles the c99 export in `folder` with -std=c99 -Wall -Wextra -Werror -pedantic (gcc and, when present, clang; and
// with address and undefined-behaviour sanitizers), feeds it all `answers` inputs and compares every output integer.
std::vector<Check> verify_c99(const std::filesystem::path& folder, const exporters::KnownAnswers& answers);

bool passed(const std::vector<Check>&);  // at least one ran, none that ran failed
core::Table to_table(const std::vector<Check>&);

}  // namespace condenser::verify
