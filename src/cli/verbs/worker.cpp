// `condenser worker`: joins a study that a search has begun, from any machine that reaches it and has the data.

#include "cli/cost_estimate.hpp"
#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "cli/search_workers.hpp"
#include "cli/verb.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string study;
  int parallel = 1;
  std::vector<std::string> overrides;
};

void add_options(Args& args, Options& o) {
  args.option("--study", o.study, "postgresql://user@host/database?study=NAME, or a study.sqlite");
  args.option("--parallel", o.parallel, "candidates at the same time, each in its own process")
      .range(1, 1024)
      .with_default();
  args.option("overrides", o.overrides, "of options that decide nothing or say where data lie: dataset.folder=/data")
      .value_name("KEY=VALUE");
}

std::string configuration_of(const std::string& study) {
  const auto text = search::open_study(study, search::StoreMode::Look)->kept(kConfiguration);
  if (text) return *text;
  throw core::ConfigError(search::printable_study(study) +
                          ": no search has begun there; begin one: condenser search run.yaml search.study=...");
}

int work(RunContext& run) {
  const search::Gate gate = make_gate(run.config);
  open_for_work(run);
  int64_t mine = 0;
  search::SearchWatch watch;
  watch.on_trial = [&](const search::Trial& trial, int64_t examined) {
    if (!trial.examined()) return;
    ++mine;
    core::log::info("worker: " + std::to_string(examined) + " of " + std::to_string(run.config.search.trials) +
                    " examined; trial " + std::to_string(trial.index) + " by " + core::printable(trial.worker));
  };
  const auto trials = run_workers(run, gate, watch);
  core::write_output("study of " + std::to_string(trials.size()) + " proposals: nothing is left to do; " +
                     std::to_string(mine) + " examinations ended while this worker was there\n");
  return 0;
}

int run(const Options& o) {
  if (o.study.empty())
    throw core::ConfigError(
        "worker: --study is missing; expected postgresql://user@host/database?study=NAME, or a study.sqlite");
  const core::TemporaryFolder scratch;
  core::write_atomic(scratch.path() / "config.resolved.yaml", configuration_of(o.study));
  std::vector<std::string> overrides = o.overrides;
  overrides.push_back("search.study=\"" + o.study + "\"");
  overrides.push_back("search.parallel=" + std::to_string(o.parallel));
  const RunConfig config = read_run_config(scratch.path().string(), overrides);
  core::write_atomic(scratch.path() / "config.resolved.yaml", config.resolved);  // for its processes
  RunContext context(config, scratch.path());
  try {
    return work(context);
  } catch (const core::Stopped& stopped) {
    core::log::warning(stopped.what());
    return static_cast<int>(stopped.code());
  }
}

}  // namespace

Verb worker_verb() {
  return {.name = "worker",
          .group = kRuns,
          .about = "join a search that was begun elsewhere, until it is done",
          .example = "worker --study postgresql://me@server/condenser?study=digits --parallel 2",
          .next = "The search that began the study prints the winner and goes on with it.",
          .declare = with_options<Options>(add_options, run)};
}

}  // namespace condenser::cli
