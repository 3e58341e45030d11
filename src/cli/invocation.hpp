#pragma once
// What the command line said, as plain data. main.cpp fills it with CLI11; nothing else sees CLI11.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace condenser::cli {

struct Invocation {
  std::string verb;
  std::string subject;                 // run.yaml, run folder, network name or spec file
  bool gpu = false;                    // doctor
  std::vector<std::string> overrides;  // "train.epochs=3"
  std::string format = "text";         // text, json, markdown, csv (describe: also mermaid, dot)
  std::filesystem::path runs = "runs";
  bool dry_run = false;
  bool fresh = false;
  bool help_config = false;
  std::string config_section;          // with it: only this one; empty: all
  std::filesystem::path card;          // eval: of another data set; empty: the run's own
  int nproc = 1;                       // processes on this machine that train together
  std::vector<std::string> arguments;  // the command line as it is, program first
  // verbs about networks
  std::vector<std::string> networks;
  int classes = 0;    // 0: the entry's default
  std::string input;  // "3x224x224"; empty: the entry's default (zoo: any)
  // zoo
  std::string task;  // part of a task's name; empty: any
  std::optional<double> max_params, max_macs;
  bool published = false;  // comparators known by their numbers only
  // compare, bench train
  std::vector<int> batch{1}, threads;  // threads empty: 1 and all cores
  double seconds = 1.0;                // of measuring, per network, batch and number of threads; 0: counts only
  bool turns = false;                  // bench train: a line on standard input starts each round
  // predict
  std::vector<std::string> files;
  int top = 3;
  bool int8 = false;
  // draw, data show: a file; compare, bench train: a folder; empty: standard output only
  std::filesystem::path out;
  std::string colour = "macs";
  // data
  std::string what;  // show
  std::string split = "train";
  int count = 64;      // samples on a sheet
  bool plain = false;  // without augmentation
};

// What a verb reads from the command line.
enum class Takes { RunFile, RunAndFiles, Data, Network, Networks, Word, Nothing };

// The explicit table of verbs.
struct Verb {
  const char* name;
  const char* group;  // in the overview
  const char* about;
  Takes takes;
  int (*run)(const Invocation&);
  const char* example;  // what to type behind `condenser`
  const char* next;     // what to do with the outcome
};
const std::vector<Verb>& verbs();

int cmd_run(const Invocation&);    // every stage of the file
int cmd_stage(const Invocation&);  // one stage, named by the verb
int cmd_eval(const Invocation&);
int cmd_predict(const Invocation&);
int cmd_runs(const Invocation&);
int cmd_describe(const Invocation&);
int cmd_zoo(const Invocation&);
int cmd_compare(const Invocation&);
int cmd_draw(const Invocation&);
int cmd_rules(const Invocation&);
int cmd_data(const Invocation&);
int cmd_bench(const Invocation&);
int cmd_doctor(const Invocation&);
int cmd_completion(const Invocation&);

}  // namespace condenser::cli
