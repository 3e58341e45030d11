#pragma once
// Groups of options that several verbs take.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/args.hpp"

namespace condenser::cli {

// --format; the default is what `format` holds. `more`: besides text, json, markdown and csv.
void add_format(Args&, std::string& format, const std::vector<std::string>& more = {});

// A run file or a run folder, and overrides of its options.
struct RunFile {
  std::string subject;
  std::vector<std::string> overrides;  // "train.epochs=3"
  std::vector<std::string> words;      // both, as they are typed
};
void add_run_file(Args&, RunFile&, const std::string& override_example);

// A run file of a verb that works in a run folder: --runs, and --help-config in the format that --format says.
struct RunPlace : RunFile {
  std::filesystem::path runs = "runs";
};
void add_run_place(Args&, RunPlace&, const std::string& format);

void add_runs_folder(Args&, std::filesystem::path& runs);

// What a zoo network is made for.
struct ZooShape {
  int classes = 0;    // 0: the entry's default
  std::string input;  // "3x224x224"; empty: the entry's default
};
void add_zoo_shape(Args&, ZooShape&, const std::string& before_help = "");

constexpr char kAboutNetwork[] = "zoo name, spec file (YAML, JSON) or run folder";

// One network and, when it is of the zoo, its shape.
struct NetworkChoice {
  std::string name;
  ZooShape shape;
};
void add_network(Args&, NetworkChoice&);

}  // namespace condenser::cli
