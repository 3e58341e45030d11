// `condenser run`: the stages of the file in order; and each stage as a verb of its own.

#include <cstdio>

#include "cli/cost_estimate.hpp"
#include "cli/progress.hpp"
#include "cli/run_status.hpp"
#include "cli/summary.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"

namespace condenser::cli {

namespace {

std::string resume_hint(const Invocation& call) {
  std::string command = "condenser " + call.verb + " " + call.subject;
  for (const std::string& o : call.overrides) command += " " + o;
  return "go on with: " + command;
}

int run_stages(const Invocation& call, const std::vector<std::string>& names, const RunConfig& config, bool closing) {
  const auto path = folder_of(config, call.subject, call.runs);
  if (call.dry_run) {
    RunContext context(config, path);
    print(dry_run(context), call.format);
    return 0;
  }
  const RunFolder folder(config, path, call.fresh);
  RunContext context(config, folder.path());
  StatusFile status(folder.path(), call.verb, config.card.name);
  try {
    for (const std::string& name : names) {
      if (core::stop_requested()) throw core::Stopped("stopped before stage " + name);
      status.stage(name);
      const Stage& stage = find_stage(name);
      if (closing) core::log::info("== " + name + ": " + stage.about);
      const auto start = std::chrono::steady_clock::now();
      const StageOutput output = stage.run(context);
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
    throw;
  }
  if (closing) {
    const std::string summary = summary_json(context);
    std::fputs((call.format == "text" ? closing_lines(context, summary, call.subject) : summary).c_str(), stdout);
  }
  return 0;
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
