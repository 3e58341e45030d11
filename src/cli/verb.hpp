#pragma once
// A verb of the command line. Each has a file in verbs/ with its options (a plain struct), how they are read, and what
// is done with them; verbs.cpp has the table.

#include <functional>
#include <memory>
#include <vector>

#include "cli/args.hpp"

namespace condenser::cli {

// Runs with what was read from the command line; returns the exit code.
using Run = std::function<int()>;

struct Verb {
  const char* name;
  const char* group;    // in the overview: one of the names below; "": not in it
  const char* about;    // one line
  const char* example;  // what to type behind `condenser`
  const char* next;     // what to do with the outcome
  std::function<Run(Args&)> declare;
};

inline constexpr char kRuns[] = "Runs", kNetworks[] = "Networks", kData[] = "Data", kTools[] = "Tools";

// For `declare`, from `void add_options(Args&, Options&)` and `int run(const Options&)`.
template <class Options, class AddOptions, class RunWith>
std::function<Run(Args&)> with_options(AddOptions add_options, RunWith run) {
  return [=](Args& args) -> Run {
    const auto options = std::make_shared<Options>();
    add_options(args, *options);
    return [=] { return run(*options); };
  };
}

const std::vector<Verb>& verbs();

}  // namespace condenser::cli
