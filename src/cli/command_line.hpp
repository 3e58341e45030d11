#pragma once
// The command line: what every verb takes, and what was typed. command_line.cpp is the only source that sees CLI11.

#include <optional>
#include <string>
#include <vector>

#include "cli/invocation.hpp"

namespace condenser::cli {

struct GlobalOptions {
  bool quiet = false, verbose = false;
};

struct CommandLine {
  const Verb* verb = nullptr;  // null: there is nothing to run, `text` is the answer
  Invocation call;
  GlobalOptions global;
  std::string text;
  int code = 0;  // with `text`
};

// Throws ConfigError: unknown verb or option, a value out of its range.
CommandLine parse(int argc, char** argv);

// The help of one verb; throws ConfigError with the nearest.
std::string help_of(const std::string& verb);

// What can be typed, for completion and manual.
struct OptionRow {
  std::vector<std::string> names;    // "--format", "-o"; empty: positional
  std::string word;                  // positional: its name
  std::string help, value;           // of the value: "TEXT", "INT in [1 - 4096]"; empty: a flag
  std::vector<std::string> choices;  // the values there are; empty: any
};
struct VerbRow {
  std::string name, about, footer;
  std::vector<OptionRow> options;
};
std::vector<VerbRow> describe_command_line();

}  // namespace condenser::cli
