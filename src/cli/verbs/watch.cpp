// `condenser watch`: a running search, live in the terminal. Only looks: the study is opened for reading, and whoever
// searches is never kept waiting.

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "cli/progress.hpp"
#include "cli/records/records.hpp"
#include "cli/search_workers.hpp"
#include "cli/shared_options.hpp"
#include "cli/verb.hpp"
#include "cli/watch_view.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kWidth = 100;  // where there is no terminal

struct Options {
  std::string subject;
  fs::path runs = "runs";
  bool once = false;
  double every = 1;
  int last = 8;
};

void add_options(Args& args, Options& o) {
  args.option("run", o.subject, "run file or run folder").required();
  add_runs_folder(args, o.runs);
  args.flag("--once", o.once, "print how it stands and end");
  args.option("--every", o.every, "seconds between two looks").range(0.1, 3600.0).with_default();
  args.option("--last", o.last, "so many of the latest trials").range(0, 100).with_default();
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Whether block characters can be shown, as the locale says.
bool unicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = variable(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

struct State {
  std::string words;
  bool over = false;  // nobody searches here (any more)
};

State state_of(const fs::path& folder) {
  const auto status = find_record<RunStatus>(folder);
  const std::string stage = status ? status->stage : "", state = status ? status->state : "";
  if (!core::is_locked(folder)) return {state.empty() ? "never ran" : state == "running" ? "killed" : state, true};
  if (stage.empty() || stage == "search") return {"searching", false};
  return {"the search is over, " + stage + " runs", true};
}

// The trials, kept up to date by what has changed.
class Study {
 public:
  explicit Study(const RunContext& run) : where_(study_of(run)), shared_(is_shared(run)) {}
  bool shared() const { return shared_; }
  const std::vector<search::Trial>& look() {
    if (!store_ && (shared_ || fs::exists(where_))) store_ = search::open_study(where_, search::StoreMode::Look);
    if (!store_) return trials_;
    search::Changes changes = store_->changes(revision_);
    revision_ = changes.revision;
    for (search::Trial& trial : changes.trials) {
      const auto index = static_cast<size_t>(trial.index);
      if (index >= trials_.size()) trials_.resize(index + 1);
      trials_[index] = std::move(trial);
    }
    search::resolve_copies(trials_);
    return trials_;
  }

 private:
  std::string where_;
  bool shared_;  // other machines may search too
  std::unique_ptr<search::Store> store_;
  int64_t revision_ = 0;
  std::vector<search::Trial> trials_;
};

// Over the lines of the last look; what is left of these is wiped. One write, so that nothing flickers.
class Screen {
 public:
  void draw(const std::vector<std::string>& lines) {
    std::string text = shown_ > 0 ? "\033[" + std::to_string(shown_) + "A\r" : "";
    for (const std::string& line : lines) text += line + "\033[K\n";
    core::write_output(text + "\033[J");
    shown_ = lines.size();
  }

 private:
  size_t shown_ = 0;
};

// Returns early when a stop was requested.
void wait(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end && !core::stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

int watch(const Options& o) {
  const fs::path folder = find_run(o.subject, o.runs);
  const RunConfig config = read_run_config(folder.string(), {});
  if (config.network)
    throw core::ConfigError(folder.string() +
                            ": a run of one network (spec), nothing is searched; condenser runs says how it stands");
  const bool live = !o.once && isatty(STDOUT_FILENO) != 0 && variable("TERM") != "dumb";
  Study study(RunContext(config, folder));
  Screen screen;
  for (;;) {
    const State state = state_of(folder);  // before the trials: the last look sees all
    const WatchFacts facts =
        watch_facts(study.look(), config.search.objective, config.search.trials, static_cast<size_t>(o.last));
    const size_t columns = output_columns() > 1 ? output_columns() - 1 : kWidth;
    const auto lines = watch_lines(facts, config.name + ": " + state.words, columns, unicode());
    if (!live) {
      std::string text;
      for (const std::string& line : lines) text += line + "\n";
      core::write_output(text);
      return 0;
    }
    screen.draw(lines);
    if (state.over && (!study.shared() || facts.running.empty())) return 0;
    wait(o.every);
    if (core::stop_requested()) return static_cast<int>(core::stop_code());
  }
}

}  // namespace

Verb watch_verb() {
  return {.name = "watch",
          .group = kRuns,
          .about = "a running search, live: how far it is, the best, the latest, refusals",
          .example = "watch runs/digits_quickstart",
          .next = "Ctrl-C ends the view, not the search. The page of the whole study: condenser report runs/<name>",
          .declare = with_options<Options>(add_options, watch)};
}

}  // namespace condenser::cli
