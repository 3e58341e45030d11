// The table of verbs. What each takes on the command line stands in command_line.cpp.

#include "cli/invocation.hpp"

namespace condenser::cli {
namespace {

constexpr const char* kRuns = "Runs";
constexpr const char* kNetworks = "Networks";
constexpr const char* kData = "Data";
constexpr const char* kTools = "Tools";

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"run", kRuns, "every stage of a run file: search, train, quantize, export, verify, report", Takes::RunFile,
       cmd_run, "run experiments/digits_quickstart/run.yaml",
       "The folder runs/<name>/ holds report.html, the weights and export/. The same command goes on after a stop."},
      {"search", kRuns, "find a network inside hard constraints", Takes::RunFile, cmd_stage,
       "search experiments/digits_quickstart/run.yaml search.trials=8",
       "Look at the winner: condenser describe runs/<name>. Then: condenser train runs/<name>"},
      {"train", kRuns, "train the winner (or the network named by `spec`)", Takes::RunFile, cmd_stage,
       "train runs/digits_quickstart train.epochs=20",
       "Scores on the test part: condenser eval runs/<name>. Then: condenser quantize runs/<name>"},
      {"eval", kRuns, "accuracy, scores per class and mistakes on the test part", Takes::RunFile, cmd_eval,
       "eval runs/digits_quickstart", "The pictures lie in runs/<name>/eval/."},
      {"predict", kRuns, "the most likely classes of files, by the network of a trained run", Takes::RunAndFiles,
       cmd_predict, "predict runs/digits_quickstart my/*.png --top 3",
       "--int8 answers with the integers of the device."},
      {"quantize", kRuns, "post-training int8 quantization, with a report per node", Takes::RunFile, cmd_stage,
       "quantize runs/digits_quickstart", "Then: condenser export runs/<name>"},
      {"export", kRuns, "write files for devices", Takes::RunFile, cmd_stage, "export runs/digits_quickstart",
       "Then: condenser verify runs/<name>. export/c99/model.h says how the code is called."},
      {"verify", kRuns, "compile the export, run it, compare every integer", Takes::RunFile, cmd_stage,
       "verify runs/digits_quickstart", "Then: condenser report runs/<name>"},
      {"report", kRuns, "write the report and summary.json", Takes::RunFile, cmd_stage, "report runs/digits_quickstart",
       "Open runs/<name>/report.html in a browser."},
      {"runs", kRuns, "the runs in a folder: state, network, accuracy, duration", Takes::Word, cmd_runs, "runs",
       "A run folder is an argument of most verbs: condenser eval runs/<name>"},
      {"zoo", kNetworks, "reference networks", Takes::Nothing, cmd_zoo, "zoo --task keyword",
       "Each name is an argument of describe, draw, rules and compare."},
      {"describe", kNetworks, "layers, size, memory and rules of a network", Takes::Network, cmd_describe,
       "describe dcac_sca_325mf --classes 10", "As a picture: condenser draw <network> -o network.svg"},
      {"draw", kNetworks, "a network as SVG, Mermaid or DOT", Takes::Network, cmd_draw,
       "draw dcac_sca_325mf -o dcac.svg", "The SVG opens in every browser."},
      {"rules", kNetworks, "the certificate of the design constraints, with evidence", Takes::Network, cmd_rules,
       "rules resnet50", "A run's gate chooses which of them are demanded: gate.rules."},
      {"compare", kNetworks, "networks side by side: size, work, memory, accuracy, measured speed", Takes::Networks,
       cmd_compare, "compare dcac_sca_325mf mobilenet_v2 --classes 10 --seconds 0",
       "Without --seconds 0 the speed on this machine is measured too."},
      {"data", kData, "what a run learns from: show (a sheet of augmented samples), check", Takes::Data, cmd_data,
       "data check experiments/digits_quickstart/run.yaml", "Then look: condenser data show <run.yaml> -o sheet.png"},
      {"bench", kTools, "how fast condenser itself is here: gate, data, train", Takes::Word, cmd_bench, "bench gate",
       "Compare on one machine only."},
      {"doctor", kTools, "what works here, what is missing and how to get it", Takes::Word, cmd_doctor, "doctor",
       "--gpu trains on processor and GPU and compares."},
      {"completion", kTools, "completion for bash, zsh or fish, or the manual page, on standard output", Takes::Word,
       cmd_completion, "completion bash > ~/.local/share/bash-completion/completions/condenser",
       "Installed builds bring these files along."},
  };
  return table;
}

}  // namespace condenser::cli
