#pragma once
// The command line as a whole: which verb, with what; help.

#include <string>
#include <vector>

#include "cli/verb.hpp"

namespace condenser::cli {

struct CommandLine {
  Run run;  // null: there is nothing to run, `text` is the answer
  GlobalOptions global;
  std::string text;
  int code = 0;  // with `text`
};

// Throws ConfigError: unknown verb or option, a value out of its range.
CommandLine parse(const std::vector<std::string>& typed);  // program first

// The help of one verb; throws ConfigError with the nearest.
std::string help_of(const std::string& verb);

// What can be typed, for completion, manual and tests.
struct VerbRow {
  std::string name, about, footer;
  std::vector<OptionRow> options;
};
std::vector<VerbRow> describe_command_line();

}  // namespace condenser::cli
