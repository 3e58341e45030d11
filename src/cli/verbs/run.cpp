// `condenser run`: the stages of the file in order; and each stage as a verb of its own.

#include <algorithm>
#include <cstdio>

#include "cli/check_run.hpp"
#include "cli/cost_estimate.hpp"
#include "cli/launch.hpp"
#include "cli/portable.hpp"
#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "cli/run_status.hpp"
#include "cli/stages/report_material.hpp"
#include "cli/summary.hpp"
#include "cli/torch_module.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/stop.hpp"

namespace condenser::cli {

namespace {

std::string resume_hint(const Invocation& call) {
  std::string command = "condenser " + call.verb + " " + call.subject;
  for (const std::string& o : call.overrides) command += " " + o;
  if (call.nproc > 1) command += " --nproc " + std::to_string(call.nproc);
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
int lead(const Invocation& call, const std::vector<std::string>& names, RunContext& context, bool closing,
         bool all_ranks) {
  const RunConfig& config = context.config;
  RunFolder folder(context.folder, call.fresh);
  context.all_ranks = all_ranks;
  try {
    for (const std::string& line : plan(context, names)) core::log::info(line);
    folder.begin(config);
    context.keep_findings();
  } catch (...) {
    folder.abandon_if_empty();
    throw;
  }
  StatusFile status(folder.path(), call.verb, config.card.name);
  const core::AtForcedEnd at_forced_end([&] {
    const std::string message = "stopped in stage " + status.current();
    status.end("stopped", message);
    core::log::warning(message + "; " + resume_hint(call));
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
      if (!closing || call.format == "text") print(output, call.format);
      if (closing) core::log::info("== " + name + " took " + duration_text(seconds));
    }
    status.end("finished", "");
  } catch (const core::Stopped& stopped) {
    status.end("stopped", stopped.what());
    core::log::warning(std::string(stopped.what()) + "; " + resume_hint(call));
    return static_cast<int>(stopped.code());
  } catch (const std::exception& e) {
    status.end("failed", e.what());
    if (!worked && dynamic_cast<const core::ConfigError*>(&e)) folder.take_back();
    folder.abandon_if_empty();
    throw;
  }
  if (closing) {
    const report::Material material = read_material(context);
    const std::string text = call.format == "text" ? closing_lines(context, material, call.subject)
                                                   : core::json_visible(report::summary_json(material));
    core::write_output(text);
    if (!search::passed(material.verdicts)) return kLimitMissed;
  }
  return 0;
}

int run_stages(const Invocation& call, const std::vector<std::string>& names, const RunConfig& config, bool closing) {
  if (config.train.portable || config.probe.train.portable) make_portable(call.arguments);
  const auto path = folder_of(config, call.subject, call.runs);
  RunContext context(config, path);
  if (call.dry_run) {
    check_run(context, names, std::max(1, call.nproc), call.fresh);
    print(dry_run(context), call.format);
    return 0;
  }
  const train::Ranks ranks = train::find_ranks(train::process_environment());
  const bool trains = std::find(names.begin(), names.end(), "train") != names.end();
  if (call.nproc > 1 && !trains)
    throw core::ConfigError("--nproc " + std::to_string(call.nproc) + ": the stages of this run do not train");
  if (call.nproc > 1 && ranks.alone()) return launch_ranks(call.nproc, call.arguments);
  if (call.nproc > 1 && ranks.launcher != "--nproc")
    throw core::ConfigError("--nproc " + std::to_string(call.nproc) + ": " + ranks.launcher + " started " +
                            std::to_string(ranks.size) + " processes already; leave --nproc out");
  if (!ranks.note.empty()) core::log::warning(ranks.note);
  const bool together = trains && !ranks.alone();
  if (!ranks.leads()) {
    core::log::set_level(core::log::Level::Warning);
    if (!together) return 0;
  }
  check_run(context, names, together ? ranks.size : 1, call.fresh);
  try {
    if (together) torch_backend().join(ranks, config.train.rank_timeout);
  } catch (const core::Stopped& stopped) {
    return static_cast<int>(stopped.code());
  }
  if (!ranks.leads()) return follow(context);
  return lead(call, names, context, closing, together);
}

}  // namespace

int cmd_run(const Invocation& call) {
  const RunConfig config = read_run_config(call.subject, call.overrides);
  return run_stages(call, config.stages, config, true);
}

int cmd_stage(const Invocation& call) {
  RunConfig config = read_run_config(call.subject, call.overrides);
  if (call.dry_run) config.stages = {call.verb};
  return run_stages(call, {call.verb}, config, false);
}

}  // namespace condenser::cli
