// Command line and exit codes. The only file that sees CLI11.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "cli/data_check.hpp"
#include "cli/invocation.hpp"
#include "cli/run_config.hpp"
#include "cli/version.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/table.hpp"

namespace condenser::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"run", "every stage of a run file: search, train, quantize, export, verify, report", Takes::RunFile, cmd_run},
      {"search", "find a network inside hard constraints", Takes::RunFile, cmd_stage},
      {"train", "train the winner (or the network named by `spec`)", Takes::RunFile, cmd_stage},
      {"eval", "accuracy, scores per class and mistakes on the test part", Takes::RunFile, cmd_eval},
      {"predict", "the most likely classes of files, by the network of a trained run", Takes::RunAndFiles, cmd_predict},
      {"runs", "the runs in a folder: state, network, accuracy, duration", Takes::Word, cmd_runs},
      {"quantize", "post-training int8 quantization, with a report per node", Takes::RunFile, cmd_stage},
      {"export", "write files for devices", Takes::RunFile, cmd_stage},
      {"verify", "compile the export, run it, compare every integer", Takes::RunFile, cmd_stage},
      {"report", "write report.md and summary.json", Takes::RunFile, cmd_stage},
      {"describe", "layers, size, memory and rules of a network", Takes::Network, cmd_describe},
      {"zoo", "reference networks", Takes::Nothing, cmd_zoo},
      {"compare", "networks side by side: size, work, memory, accuracy, measured speed", Takes::Networks, cmd_compare},
      {"draw", "a network as SVG, Mermaid or DOT", Takes::Network, cmd_draw},
      {"rules", "the certificate of the design constraints, with evidence", Takes::Network, cmd_rules},
      {"data", "what a run learns from: show (a sheet of augmented samples), check", Takes::Data, cmd_data},
      {"bench", "how fast condenser itself is here: gate, data, train", Takes::Word, cmd_bench},
      {"doctor", "what works here, what is missing and how to get it", Takes::Word, cmd_doctor},
  };
  return table;
}

namespace {

std::vector<std::string> formats(const std::string& verb) {
  std::vector<std::string> known{"text", "json", "markdown", "csv"};
  if (verb == "describe") known.insert(known.end(), {"mermaid", "dot"});
  if (verb == "draw") known = {"svg", "mermaid", "dot"};
  return known;
}

struct GlobalOptions {
  bool quiet = false, verbose = false;
};

void add_networks(CLI::App& sub, const Verb& verb, Invocation& call) {
  const std::string name = verb.name;
  const char* help = "zoo name, spec file (YAML, JSON) or run folder";
  if (verb.takes == Takes::Networks) {
    sub.add_option("networks", call.networks, help)->required();
  } else {
    sub.add_option("network", call.subject, help)->required();
  }
  sub.add_option("--classes", call.classes, "outputs of a zoo network")->check(CLI::Range(1, 65536));
  sub.add_option("--input", call.input, "input of a zoo network, e.g. 3x224x224");
  if (name == "compare") {
    sub.add_option("--batch", call.batch, "batch sizes, e.g. 1,32")->delimiter(',')->check(CLI::Range(1, 4096));
    sub.add_option("--threads", call.threads, "numbers of threads, e.g. 1,2")
        ->delimiter(',')
        ->check(CLI::Range(1, 1024));
    sub.add_option("--seconds", call.seconds, "of measuring per network and setting; 0: counts only")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    sub.add_option("-o,--out", call.out, "folder for compare.md, compare.csv and compare.json of the same measurement");
  }
  if (name == "draw") {
    sub.add_option("-o,--out", call.out, "file to write; standard output when absent");
    sub.add_option("--colour", call.colour, "what the colour says: share of macs, of memory, or of params")
        ->check(CLI::IsMember({"macs", "memory", "params"}))
        ->capture_default_str();
  }
}

void add_bench(CLI::App& sub, Invocation& call) {
  sub.add_option(
         "what", call.subject,
         "gate: expand, analyze, plan memory and check rules of random networks; data: decode and crop pictures; "
         "train: training steps of a network on noise")
      ->required()
      ->check(CLI::IsMember({"gate", "data", "train"}));
  sub.add_option("network", call.networks, "train: zoo name, spec file (YAML, JSON) or run folder");
  sub.add_option("--classes", call.classes, "train: outputs of a zoo network")->check(CLI::Range(1, 65536));
  sub.add_option("--input", call.input, "train: input of a zoo network, e.g. 3x224x224");
  sub.add_option("--batch", call.batch, "train: batch size")->expected(1)->check(CLI::Range(1, 65536));
  sub.add_option("--threads", call.threads, "train: threads; all cores when absent")
      ->expected(1)
      ->check(CLI::Range(1, 1024));
  sub.add_option("--seconds", call.seconds, "train: of measuring; with --turns of one round")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  sub.add_flag("--turns", call.turns, "train: each line on standard input starts a round, which prints a line of JSON");
  sub.add_option("-o,--out", call.out, "train: folder for the network and one training step of it; nothing is timed");
}

void add_verb(CLI::App& app, const Verb& verb, Invocation& call, std::vector<std::string>& words) {
  CLI::App* sub = app.add_subcommand(verb.name, verb.about);
  const std::string name = verb.name;
  sub->add_option("--format", call.format, "output format")
      ->check(CLI::IsMember(formats(name)))
      ->default_str(name == "draw" ? "svg" : call.format);
  if (verb.takes == Takes::RunFile) {
    sub->add_option("run", words, "run.yaml or a run folder, then overrides such as train.epochs=3")
        ->type_name("RUN [KEY=VALUE ...]");
    sub->add_option("--runs", call.runs, "folder of run folders")->capture_default_str();
    sub->add_flag("--help-config", call.help_config, "list every option of the run file, with defaults and ranges");
    if (name == "eval") {
      sub->add_option("--card", call.card, "evaluate on the test part of another data set with the same classes");
    } else {
      sub->add_flag("--dry-run", call.dry_run, "say what would be done and what it would cost; write nothing");
      sub->add_flag("--fresh", call.fresh, "move an existing run folder aside and start anew");
      if (name == "run" || name == "train")
        sub->add_option("--nproc", call.nproc, "processes on this machine that share the training")
            ->check(CLI::Range(1, 1024))
            ->capture_default_str();
    }
  } else if (verb.takes == Takes::Data) {
    sub->add_option("what", call.what,
                    "show: a sheet of training samples as augmentation changes them; check: counts, duplicates, "
                    "unreadable items, mean and deviation")
        ->required()
        ->check(CLI::IsMember({"show", "check"}));
    sub->add_option("run", words, "run.yaml or a run folder, then overrides such as train.augment.flip=true")
        ->type_name("RUN [KEY=VALUE ...]");
    sub->add_option("-o,--out", call.out, "show: file to write; sheet.png when absent");
    sub->add_option("--count", call.count, "show: samples on the sheet")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    sub->add_option("--split", call.split, "show: part of the data set")
        ->check(CLI::IsMember({"train", "validation", "test"}))
        ->capture_default_str();
    sub->add_flag("--plain", call.plain, "show: samples as they are, without augmentation");
  } else if (verb.takes == Takes::RunAndFiles) {
    sub->add_option("run", call.subject, "run folder, or the run.yaml of a trained run")->required();
    sub->add_option("files", call.files, "what to classify: JPEG, PNG or, for sounds, WAV files")->required();
    sub->add_option("--top", call.top, "so many classes for each file")
        ->check(CLI::Range(1, 65536))
        ->capture_default_str();
    sub->add_flag("--int8", call.int8, "by the quantized network, with the integers of the device");
    sub->add_option("--runs", call.runs, "folder of run folders")->capture_default_str();
  } else if (verb.takes == Takes::Network || verb.takes == Takes::Networks) {
    add_networks(*sub, verb, call);
  } else if (name == "zoo") {
    sub->add_option("--task", call.task, "only this task, e.g. keyword");
    sub->add_option("--max-params", call.max_params, "only up to so many parameters, e.g. 5e6")
        ->check(CLI::NonNegativeNumber);
    sub->add_option("--max-macs", call.max_macs, "only up to so many multiply-accumulates, e.g. 300e6")
        ->check(CLI::NonNegativeNumber);
    sub->add_option("--input", call.input, "only networks for this input, e.g. 3x224x224");
    sub->add_flag("--published", call.published, "comparators of which only published numbers are at hand");
  } else if (name == "runs") {
    sub->add_option("folder", call.subject, "folder of run folders, or one run folder")->default_str("runs");
  } else if (name == "doctor") {
    sub->add_option("what", call.subject, "nothing, or datasets");
    sub->add_flag("--gpu", call.gpu, "train a small network on the processor and on the GPU, and compare");
  } else if (name == "bench") {
    add_bench(*sub, call);
  }
}

void print_options(const std::string& format) {
  core::Table t{{{"option", "option", false},
                 {"type", "type", false},
                 {"default", "default", false},
                 {"expected", "expected", false},
                 {"help", "help", false}},
                {}};
  for (const auto& o : config_options())
    t.rows.push_back({core::cell(o.path), core::cell(o.type), core::cell(o.default_value), core::cell(o.expected),
                      core::cell(o.help)});
  const std::string text = format == "json"       ? core::to_json(t) + "\n"
                           : format == "csv"      ? core::to_csv(t)
                           : format == "markdown" ? core::to_markdown(t)
                                                  : core::to_text(t);
  std::fputs(text.c_str(), stdout);
}

std::string version_line() {
  return "condenser " + version() + " (LibTorch " + libtorch_version() + ", " + compiler() + ", " + build_type() + ")";
}

std::string unknown_verb(const std::string& word) {
  std::vector<std::string> names;
  for (const Verb& v : verbs()) names.push_back(v.name);
  const std::string near = core::config::nearest(word, names);
  std::string list;
  for (const auto& n : names) list += (list.empty() ? "" : ", ") + n;
  return "condenser " + word + ": no such verb" + (near.empty() ? "" : "; did you mean " + near + "?") + " (" + list +
         ")";
}

int dispatch(int argc, char** argv) {
  CLI::App app{"condenser designs, trains and ships tiny attention networks.", "condenser"};
  app.set_version_flag("--version", version_line());
  app.require_subcommand(1);
  app.footer(
      "Start: condenser run experiments/digits_quickstart/run.yaml\nExit codes: 0 ok, 1 run failed, 2 usage or "
      "configuration, 3 no feasible "
      "candidate,\n4 verification mismatch, 5 run folder locked, 75 requeue, 130 SIGINT, 143 SIGTERM");
  GlobalOptions global;
  app.add_flag("-q,--quiet", global.quiet, "warnings and errors only");
  app.add_flag("-v,--verbose", global.verbose, "debug messages too");
  Invocation call;
  call.arguments.assign(argv, argv + argc);
  std::vector<std::string> words;
  for (const Verb& verb : verbs()) add_verb(app, verb, call, words);
  if (argc > 1 && argv[1][0] != '-') {
    bool known = false;
    for (const Verb& v : verbs()) known = known || std::string(v.name) == argv[1];
    if (!known) throw core::ConfigError(unknown_verb(argv[1]));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int status = app.exit(e, std::cout, std::cerr);
    return status == 0 ? 0 : static_cast<int>(core::ExitCode::Usage);
  }
  core::log::set_level(global.quiet     ? core::log::Level::Warning
                       : global.verbose ? core::log::Level::Debug
                                        : core::log::Level::Info);
  call.verb = app.get_subcommands().front()->get_name();
  if (call.help_config) return print_options(call.format), 0;
  const auto verb = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& v) { return call.verb == v.name; });
  if (verb->takes == Takes::RunFile || verb->takes == Takes::Data) {
    if (words.empty())
      throw core::ConfigError("condenser " + call.verb + ": which run? Give a run.yaml or a run folder");
    call.subject = words.front();
    call.overrides.assign(words.begin() + 1, words.end());
  }
  return verb->run(call);
}

}  // namespace
}  // namespace condenser::cli

int main(int argc, char** argv) {
  using condenser::core::ExitCode;
  condenser::core::install_stop_handlers();
  try {
    return condenser::cli::dispatch(argc, argv);
  } catch (const condenser::core::Error& e) {
    condenser::core::log::error(e.what());
    return static_cast<int>(e.code());
  } catch (const std::bad_alloc&) {
    condenser::core::log::error("out of memory");
  } catch (const std::exception& e) {
    condenser::core::log::error(std::string("unexpected: ") + e.what());
  }
  return static_cast<int>(ExitCode::RunFailed);
}
