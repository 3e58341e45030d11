// CLI11 lives here and nowhere else.

#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "cli/help.hpp"
#include "cli/version.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

// A check against a list that describe_command_line() can read back from the option's type name.
CLI::Validator one_of(const std::vector<std::string>& choices) {
  CLI::Validator check = CLI::IsMember(choices);
  check.description("{" + core::join(choices, ",") + "}");
  return check;
}

std::vector<std::string> formats(const std::string& verb) {
  std::vector<std::string> known{"text", "json", "markdown", "csv"};
  if (verb == "describe") known.insert(known.end(), {"mermaid", "dot"});
  if (verb == "draw") known = {"svg", "mermaid", "dot"};
  return known;
}

std::string version_line() {
  return "condenser " + version() + " (LibTorch " + libtorch_version() + ", " + compiler() + ", " + build_type() + ")";
}

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
  if (name == "describe")
    sub.add_option("-o,--out", call.out, "write the network as a spec file too (YAML, or JSON when it ends in .json)");
  if (name == "draw") {
    sub.add_option("-o,--out", call.out, "file to write; standard output when absent");
    sub.add_option("--colour", call.colour, "what the colour says: share of macs, of memory, or of params")
        ->check(one_of({"macs", "memory", "params"}))
        ->capture_default_str();
  }
}

void add_bench(CLI::App& sub, Invocation& call) {
  sub.add_option(
         "what", call.subject,
         "gate: expand, analyze, plan memory and check rules of random networks; data: decode and crop pictures; "
         "train: training steps of a network on noise")
      ->required()
      ->check(one_of({"gate", "data", "train"}));
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
  sub->footer(footer_of(verb));
  const std::string name = verb.name;
  if (name != "completion")
    sub->add_option("--format", call.format, "output format")
        ->check(one_of(formats(name)))
        ->default_str(name == "draw" ? "svg" : call.format);
  if (verb.takes == Takes::RunFile) {
    sub->add_option("run", words, "run.yaml or a run folder, then overrides such as train.epochs=3")
        ->type_name("RUN [KEY=VALUE ...]");
    sub->add_option("--runs", call.runs, "folder of run folders")->capture_default_str();
    sub->add_option_function<std::string>(
           "--help-config",
           [&call](const std::string& section) {
             call.help_config = true;
             call.config_section = section;
           },
           "every option of the run file with default and range, or those of one section, e.g. train.augment")
        ->expected(0, 1)
        ->type_name("[SECTION]");
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
        ->check(one_of({"show", "check"}));
    sub->add_option("run", words, "run.yaml or a run folder, then overrides such as train.augment.flip=true")
        ->type_name("RUN [KEY=VALUE ...]");
    sub->add_option("-o,--out", call.out, "show: file to write; sheet.png when absent");
    sub->add_option("--count", call.count, "show: samples on the sheet")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    sub->add_option("--split", call.split, "show: part of the data set")
        ->check(one_of({"train", "validation", "test"}))
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
  } else if (name == "completion") {
    sub->add_option("shell", call.subject, "which shell, or man")
        ->required()
        ->check(one_of({"bash", "zsh", "fish", "man"}));
  }
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const Verb& v : verbs()) names.push_back(v.name);
  return names;
}

core::ConfigError unknown_verb(const std::string& word) {
  const std::string near = core::config::nearest(word, verb_names());
  return core::ConfigError("condenser " + word + ": no such verb" +
                           (near.empty() ? "" : "; did you mean " + near + "?") + " (" + core::join(verb_names()) +
                           ")");
}

// CLI11's application with every verb, and what it fills.
struct Parser {
  CLI::App app{"", "condenser"};
  Invocation call;
  GlobalOptions global;
  std::vector<std::string> words;

  Parser() {
    app.set_version_flag("--version", version_line());
    app.add_flag("-q,--quiet", global.quiet, "warnings and errors only");
    app.add_flag("-v,--verbose", global.verbose, "debug messages too");
    for (const Verb& verb : verbs()) add_verb(app, verb, call, words);
    for (CLI::App* sub : app.get_subcommands({})) sub->formatter(app.get_formatter());
    app.get_formatter()->column_width(34);
  }
};

std::vector<std::string> choices_in(const std::string& type) {
  const size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> out;
  std::istringstream in(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(in, word, ',');) out.push_back(word);
  return out;
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  if (row.names.empty()) row.word = option.get_name(true);
  row.help = option.get_description();
  row.value = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  row.choices = choices_in(option.get_type_name());
  return row;
}

}  // namespace

std::string help_of(const std::string& verb) {
  Parser parser;
  for (const CLI::App* sub : parser.app.get_subcommands({}))
    if (sub->get_name() == verb) return sub->help(parser.app.get_name());
  throw unknown_verb(verb);
}

std::vector<VerbRow> describe_command_line() {
  Parser parser;
  std::vector<VerbRow> rows;
  for (const CLI::App* sub : parser.app.get_subcommands({})) {
    rows.push_back({sub->get_name(), sub->get_description(), sub->get_footer(), {}});
    for (const CLI::Option* option : sub->get_options()) rows.back().options.push_back(row_of(*option));
  }
  return rows;
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  const std::string first = argc > 1 ? argv[1] : "";
  if (argc < 2) {
    line.text = overview();
    line.code = static_cast<int>(core::ExitCode::Usage);
    return line;
  }
  if (first == "--help" || first == "-h" || (first == "help" && argc == 2)) {
    line.text = overview();
    return line;
  }
  if (first == "help") {
    line.text = help_of(argv[2]);
    return line;
  }
  const std::vector<std::string> names = verb_names();
  if (!first.empty() && first[0] != '-' && std::find(names.begin(), names.end(), first) == names.end())
    throw unknown_verb(first);
  Parser parser;
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream help, fault;
    if (parser.app.exit(e, help, fault) != 0)
      throw core::ConfigError("condenser " + first + ": " + e.what() + "; see condenser help" +
                              (first.empty() || first[0] == '-' ? "" : " " + first));
    line.text = help.str();
    return line;
  }
  line.global = parser.global;
  line.call = parser.call;
  line.call.arguments.assign(argv, argv + argc);
  const auto chosen = parser.app.get_subcommands();
  if (chosen.empty()) throw core::ConfigError("condenser: which verb? " + core::join(names) + "; see condenser help");
  line.call.verb = chosen.front()->get_name();
  const auto verb =
      std::find_if(verbs().begin(), verbs().end(), [&](const Verb& v) { return line.call.verb == v.name; });
  line.verb = &*verb;
  if (line.call.help_config) {
    line.text = config_reference(line.call.config_section, line.call.format);
    line.verb = nullptr;
    return line;
  }
  if (verb->takes == Takes::RunFile || verb->takes == Takes::Data) {
    if (parser.words.empty())
      throw core::ConfigError("condenser " + line.call.verb +
                              ": which run? Give a run.yaml or a run folder, for example condenser " + line.call.verb +
                              (verb->takes == Takes::Data ? " " + line.call.what : "") +
                              " experiments/digits_quickstart/run.yaml");
    line.call.subject = parser.words.front();
    line.call.overrides.assign(parser.words.begin() + 1, parser.words.end());
  }
  return line;
}

}  // namespace condenser::cli
