#include "cli/shared_options.hpp"

#include "cli/help.hpp"
#include "condenser/core/error.hpp"

namespace condenser::cli {

void add_format(Args& args, std::string& format, const std::vector<std::string>& more) {
  std::vector<std::string> known{"text", "json", "markdown", "csv"};
  known.insert(known.end(), more.begin(), more.end());
  args.option("--format", format, "output format").choices(known).with_default();
}

void add_run_file(Args& args, RunFile& o, const std::string& override_example) {
  args.option("run", o.words, "run.yaml or a run folder, then overrides such as " + override_example)
      .value_name("RUN [KEY=VALUE ...]");
  // Not required() as others are: --help-config does without.
  args.afterwards([&o, verb = args.verb(), example = args.example()] {
    if (o.words.empty())
      throw core::ConfigError("condenser " + verb + ": which run? Give a run.yaml or a run folder, for example " +
                              example);
    o.subject = o.words.front();
    o.overrides.assign(o.words.begin() + 1, o.words.end());
  });
}

void add_runs_folder(Args& args, std::filesystem::path& runs) {
  args.option("--runs", runs, "folder of run folders").with_default();
}

void add_run_place(Args& args, RunPlace& o, const std::string& format) {
  add_run_file(args, o, "train.epochs=3");
  add_runs_folder(args, o.runs);
  args.question("--help-config", "[SECTION]",
                "every option of the run file with default and range, or those of one section, e.g. train.augment",
                [&format](const std::string& section) { return config_reference(section, format); });
}

void add_zoo_shape(Args& args, ZooShape& o, const std::string& before_help) {
  args.option("--classes", o.classes, before_help + "outputs of a zoo network").range(1, 65536);
  args.option("--input", o.input, before_help + "input of a zoo network, e.g. 3x224x224");
}

void add_network(Args& args, NetworkChoice& o) {
  args.option("network", o.name, kAboutNetwork).required();
  add_zoo_shape(args, o.shape);
}

}  // namespace condenser::cli
