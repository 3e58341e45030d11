// `condenser examiner`: the process that a parallel search, or one with limits, starts to examine candidates. Not for
// people: it listens on a channel that only its parent can make.

#include <fcntl.h>

#include "cli/examiner.hpp"
#include "cli/verb.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"

namespace condenser::cli {
namespace {

struct Options {
  std::string folder;
  int threads = 0;
};

void add_options(Args& args, Options& o) {
  args.option("folder", o.folder, "with a config.resolved.yaml").required();
  args.option("--threads", o.threads, "of this process; 0: as the configuration says").range(0, 4096);
}

int run(const Options& o) {
  if (fcntl(core::kChannel, F_GETFD) < 0)
    throw core::ConfigError("examiner: started by a search, not by hand; see condenser search --help");
  core::log::set_level(core::log::Level::Warning);
  RunConfig config = read_run_config(o.folder, {});
  if (o.threads > 0) config.probe.train.threads = o.threads;
  RunContext context(config, o.folder);
  return serve_examiner(context, core::Channel(core::kChannel));
}

}  // namespace

Verb examiner_verb() {
  return {.name = "examiner",
          .group = "",  // not in the overview
          .about = "examines candidates for a search that started it",
          .example = "examiner runs/digits_quickstart --threads 1",
          .next = "Started by: condenser search run.yaml search.window=1 search.parallel=2",
          .declare = with_options<Options>(add_options, run)};
}

}  // namespace condenser::cli
