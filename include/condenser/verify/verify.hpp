#pragma once
// Proof of an export: run it as its users will, demand equality of every output integer.

#include <filesystem>
#include <string>
#include <vector>

#include "condenser/core/table.hpp"
#include "condenser/exporters/target.hpp"

namespace condenser::verify {

struct Check {
  std::string name;  // "gcc -O2", "clang -O2", "gcc sanitizers", "LiteRT"
  bool ran = false;  // false: tool missing, see `detail`
  bool passed = false;
  int64_t samples = 0;
  int64_t differing_values = 0;
  double accuracy_percent = 0;  // of the samples, by KnownAnswers::right; NaN: nothing is right or wrong
  std::string detail;
  int64_t largest_difference = 0;  // of a value, in steps of the output
  int64_t bytes = 0;               // of the constants of the C sources, or of the model's file; 0: of none
};

// Compiles the c99 export in `folder` with -std=c99 and the strict warnings of verify.cpp as errors (gcc and, when
// present, clang; and with address and undefined-behaviour sanitizers), feeds it all `answers` inputs and compares
// every output integer.
std::vector<Check> verify_c99(const std::filesystem::path& folder, const exporters::KnownAnswers& answers);

// The whole proof of an export. Nothing in `folder` is compiled or run before it is known to be what the package says:
// the target writes afresh into a temporary folder, every file is compared byte by byte (a file too many counts), and
// the fresh files are what is compiled. A folder that differs gives one failed check, and nothing else is done.
// Throws core::Error for a target that nothing here can run.
std::vector<Check> verify_export(const exporters::Target&, const exporters::Package&,
                                 const exporters::KnownAnswers& shipped, const exporters::ExportOptions&,
                                 const std::filesystem::path& folder, const exporters::KnownAnswers& answers);

// Files of `found` against those of `expected`, byte by byte. Links and other things that are no files are differences.
Check compare_folders(const std::filesystem::path& expected, const std::filesystem::path& found);

bool failed(const std::vector<Check>&);  // one that ran did not pass
bool passed(const std::vector<Check>&);  // at least one ran with samples, none that ran failed
core::Table to_table(const std::vector<Check>&);

}  // namespace condenser::verify
