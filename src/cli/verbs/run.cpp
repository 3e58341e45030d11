// `condenser run`: the stages of the file in order; and each stage as a verb of its own.

#include <algorithm>
#include <cstdio>

#include "cli/check_run.hpp"
#include "cli/cost_estimate.hpp"
#include "cli/imported.hpp"
#include "cli/launch.hpp"
#include "cli/portable.hpp"
#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "cli/run_status.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/report_material.hpp"
#include "cli/summary.hpp"
#include "cli/torch_module.hpp"
#include "cli/verb.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {

namespace {

struct Options {
  std::string verb;  // run, or the stage
  std::string format = "text";
  RunPlace run;
  bool dry_run = false, fresh = false;
  bool automatic = false;                 // quantize: ways are tried
  std::vector<std::string> machines;      // verify: instead of those of the run file
  std::vector<std::string> targets;       // export: instead of those of the run file
  int nproc = 1;                          // processes on this machine that train together
  std::vector<std::string> command_line;  // as it was typed, program first
};

void add_options(Args& args, Options& o) {
  o.verb = args.verb();
  o.command_line = args.command_line();
  add_format(args, o.format);
  add_run_place(args, o.run, o.format);
  args.flag("--dry-run", o.dry_run, "say what would be done and what it would cost; write nothing");
  args.flag("--fresh", o.fresh, "move an existing run folder aside and start anew");
}

void add_training_options(Args& args, Options& o) {
  add_options(args, o);
  args.option("--nproc", o.nproc, "processes on this machine that share the training").range(1, 1024).with_default();
}

void add_verify_options(Args& args, Options& o) {
  add_options(args, o);
  args.option("--machine", o.machines,
              "prove it on this machine too, under an emulator; several: 1,2 (verify.machines)")
      .choices(verify::machine_names())
      .in_one_word();
}

void add_quantize_options(Args& args, Options& o) {
  add_options(args, o);
  args.flag("--auto", o.automatic, "try ways to quantize on the validation part and take the best (quantize.auto)");
}

void add_export_options(Args& args, Options& o) {
  add_options(args, o);
  std::vector<std::string> names{kAllTargets};
  for (const exporters::Target& target : exporters::targets()) names.push_back(target.name);
  args.option("--target", o.targets,
              "what to write, instead of export.targets; all: whatever holds the network; several: 1,2")
      .choices(names)
      .in_one_word();
}

std::string resume_hint(const Options& o) {
  std::string command = "condenser " + o.verb + " " + o.run.subject;
  for (const std::string& override : o.run.overrides) command += " " + override;
  if (o.automatic) command += " --auto";
  if (!o.machines.empty()) command += " --machine " + core::join(o.machines, ",");
  if (!o.targets.empty()) command += " --target " + core::join(o.targets, ",");
  if (o.nproc > 1) command += " --nproc " + std::to_string(o.nproc);
  return "go on with: " + command;
}

// A rank other than 0: trains its share and leaves files, locks and messages to rank 0.
int follow(RunContext& context) {
  context.all_ranks = true;
  try {
    train_with_leader(context);
  } catch (const core::Stopped& stopped) {
    return static_cast<int>(stopped.code());
  }
  return 0;
}

// This process alone, or rank 0.
int lead(const Options& o, const std::vector<std::string>& names, RunContext& context, bool closing, bool all_ranks) {
  const RunConfig& config = context.config;
  RunFolder folder(context.folder, o.fresh);
  context.all_ranks = all_ranks;
  try {
    for (const std::string& line : plan(context, names)) core::log::info(line);
    folder.begin(config);
    context.keep_findings();
  } catch (...) {
    folder.abandon_if_empty();
    throw;
  }
  StatusFile status(folder.path(), o.verb, config.card.name);
  const core::AtForcedEnd at_forced_end([&] {
    const std::string message = "stopped in stage " + status.current();
    status.end("stopped", message);
    core::log::warning(message + "; " + resume_hint(o));
  });
  bool worked = false;  // a stage has ended
  try {
    for (const std::string& name : names) {
      status.stage(name);
      core::reached("stage", name.c_str());
      if (core::stop_requested()) throw core::Stopped("stopped before stage " + name);
      const Stage& stage = find_stage(name);
      if (closing) core::log::info("== " + name + ": " + stage.about);
      const auto start = std::chrono::steady_clock::now();
      const StageOutput output = stage.run(context);
      context.keep_findings();
      worked = true;
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (!closing || o.format == "text") print(output, o.format);
      if (closing) core::log::info("== " + name + " took " + duration_text(seconds));
    }
    status.end("finished", "");
  } catch (const core::Stopped& stopped) {
    status.end("stopped", stopped.what());
    core::log::warning(std::string(stopped.what()) + "; " + resume_hint(o));
    return static_cast<int>(stopped.code());
  } catch (const std::exception& e) {
    status.end("failed", e.what());
    if (!worked && dynamic_cast<const core::ConfigError*>(&e)) folder.take_back();
    folder.abandon_if_empty();
    throw;
  }
  if (closing) {
    const report::Material material = read_material(context);
    const std::string text =
        o.format == "text" ? closing_lines(context, material) : core::json_visible(report::summary_json(material));
    core::write_output(text);
    if (!search::passed(material.verdicts)) return kLimitMissed;
  }
  return 0;
}

int run_stages(const Options& o, const std::vector<std::string>& names, const RunConfig& config, bool closing) {
  if (config.train.portable || config.probe.train.portable) make_portable(o.command_line);
  const auto path = folder_of(config, o.run.subject, o.run.runs);
  RunContext context(config, path);
  if (o.dry_run) {
    check_run(context, names, std::max(1, o.nproc), o.fresh);
    print(dry_run(context), o.format);
    return 0;
  }
  const train::Ranks ranks = train::find_ranks(train::process_environment());
  const bool trains = std::find(names.begin(), names.end(), "train") != names.end();
  if (o.nproc > 1 && !trains)
    throw core::ConfigError("--nproc " + std::to_string(o.nproc) + ": the stages of this run do not train");
  if (o.nproc > 1 && ranks.alone()) return launch_ranks(o.nproc, o.command_line);
  if (o.nproc > 1 && ranks.launcher != "--nproc")
    throw core::ConfigError("--nproc " + std::to_string(o.nproc) + ": " + ranks.launcher + " started " +
                            std::to_string(ranks.size) + " processes already; leave --nproc out");
  if (!ranks.note.empty()) core::log::warning(ranks.note);
  const bool together = trains && !ranks.alone();
  if (!ranks.leads()) {
    core::log::set_level(core::log::Level::Warning);
    if (!together) return 0;
  }
  check_run(context, names, together ? ranks.size : 1, o.fresh);
  try {
    if (together) torch_backend().join(ranks, config.train.rank_timeout);
  } catch (const core::Stopped& stopped) {
    return static_cast<int>(stopped.code());
  }
  if (!ranks.leads()) return follow(context);
  return lead(o, names, context, closing, together);
}

int run(const Options& o) {
  const RunConfig config = read_run_config(o.run.subject, o.run.overrides);
  return run_stages(o, config.stages, config, true);
}

// A network that came from another program, without a run around it: exported and proven as it is.
int run_imported(const Options& o) {
  const std::string& folder = o.run.subject;
  if (o.verb != "export" && o.verb != "verify")
    throw core::ConfigError(core::printable(folder) +
                            ": an imported network without data; expected a run file with spec: " +
                            core::printable(folder) + "/winner.arch.json and train.init: " + core::printable(folder));
  if (!o.run.overrides.empty() || o.dry_run || o.fresh)
    throw core::ConfigError(core::printable(folder) + ": an imported network takes no options of runs, --dry-run or " +
                            "--fresh; expected --target or --machine alone");
  print(o.verb == "export" ? export_imported(folder, o.targets) : verify_imported(folder, o.machines), o.format);
  return 0;
}

int run_stage(const Options& o) {
  if (is_imported(o.run.subject)) return run_imported(o);
  std::vector<std::string> overrides = o.run.overrides;
  if (!o.machines.empty()) overrides.push_back("verify.machines=[" + core::join(o.machines) + "]");
  if (o.automatic) overrides.push_back("quantize.auto=true");
  RunConfig config = read_run_config(o.run.subject, overrides);
  config.export_to = o.targets;
  if (o.dry_run) config.stages = {o.verb};
  return run_stages(o, {o.verb}, config, false);
}

Verb stage_verb(const char* name, const char* about, const char* example, const char* next,
                void (*declared)(Args&, Options&) = add_options) {
  return {name, kRuns, about, example, next, with_options<Options>(declared, run_stage)};
}

}  // namespace

Verb run_verb() {
  return {.name = "run",
          .group = kRuns,
          .about = "every stage of a run file: search, train, quantize, export, verify, report",
          .example = "run experiments/digits_quickstart/run.yaml",
          .next =
              "The folder runs/<name>/ holds report.html, the weights and export/. The same command goes on after "
              "a stop.",
          .declare = with_options<Options>(add_training_options, run)};
}

Verb search_verb() {
  return stage_verb("search", "find a network inside hard constraints",
                    "search experiments/digits_quickstart/run.yaml search.trials=8",
                    "Look at the winner: condenser describe runs/<name>. Then: condenser train runs/<name>");
}

Verb train_verb() {
  return stage_verb("train", "train the winner (or the network named by `spec`)",
                    "train runs/digits_quickstart train.epochs=20",
                    "Scores on the test part: condenser eval runs/<name>. Then: condenser quantize runs/<name>",
                    add_training_options);
}

Verb quantize_verb() {
  return stage_verb("quantize", "post-training int8 quantization, with a report per node",
                    "quantize runs/digits_quickstart", "Then: condenser export runs/<name>", add_quantize_options);
}

Verb export_verb() {
  return stage_verb("export", "write files for devices", "export runs/digits_quickstart --target all",
                    "Then: condenser verify runs/<name>. export/c99/model.h says how the code is called.",
                    add_export_options);
}

Verb verify_verb() {
  return stage_verb("verify", "run what was exported, compare every integer",
                    "verify runs/digits_quickstart --machine cortex-m4", "Then: condenser report runs/<name>",
                    add_verify_options);
}

Verb report_verb() {
  return stage_verb("report", "write the report and summary.json", "report runs/digits_quickstart",
                    "Open runs/<name>/report.html in a browser.");
}

}  // namespace condenser::cli
