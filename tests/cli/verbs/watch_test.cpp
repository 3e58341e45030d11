// `condenser watch`: the lines, one look without a terminal, and the live view that ends with the search or by Ctrl-C.

#include <csignal>
#include <thread>

#include "cli/run_config.hpp"
#include "cli/watch_view.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "report/sample_study.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using search::Trial;
using search::TrialState;
namespace fs = std::filesystem;

namespace {

std::vector<Trial> few() {
  std::vector<Trial> trials = tests::random_trials(40, 8, 4, true);
  trials.push_back({});
  trials.back().index = 40;
  trials.back().state = TrialState::Running;
  trials.back().worker = "<w>\x1b[31m";
  return trials;
}

// A run folder as a search leaves it.
fs::path make_run(const tests::TempFolder& folder, const std::vector<Trial>& trials) {
  const fs::path run = folder / "run";
  const cli::RunConfig config =
      cli::read_run_config(CONDENSER_SOURCE_DIR "/experiments/digits_quickstart/run.yaml", {"search.trials=100"});
  core::write_atomic(run / "config.resolved.yaml", config.resolved);
  const auto store = search::make_sqlite_store((run / "study.sqlite").string());
  store->bind("test");
  for (const Trial& trial : trials) REQUIRE(store->append(trial, 60));
  return run;
}

std::string joined(const std::vector<std::string>& lines) { return core::join(lines, "\n"); }

}  // namespace

TEST_CASE("the live view says how far, how good, how fast and what was refused", "[cli]") {
  const std::vector<Trial> trials = few();
  const cli::WatchFacts f = cli::watch_facts(trials, "val_accuracy", 100, 5);
  int64_t examined = 0, refused = 0;
  for (const Trial& t : trials) {
    examined += t.examined() && t.finished();
    refused += t.state == TrialState::Refused;
  }
  CHECK(f.examined == examined);
  CHECK(f.refused == refused);
  CHECK(f.best.size() == static_cast<size_t>(examined));
  CHECK(f.running.size() == 1);
  CHECK(f.last.size() == 5);
  CHECK(f.last[0].index == 39);
  CHECK(cli::seconds_left(f) == Approx(static_cast<double>(100 - examined) * f.seconds_each));
  const std::string text = joined(cli::watch_lines(f, "first: searching", 100, true));
  CHECK_THAT(text, Contains(std::to_string(examined) + " of 100 examined") && Contains("best: trial ") &&
                       Contains("refused by max_arena_bytes") && Contains("now: trial 40 on <w>\\x1b[31m") &&
                       Contains("trial 39: ") && Contains(" left"));
  for (const size_t columns : {20, 60, 200})
    for (const std::string& line : cli::watch_lines(f, "first: searching", columns, true))
      CHECK(core::display_width(line) <= columns);
  const std::string nothing = joined(cli::watch_lines(cli::watch_facts({}, "val_accuracy", 10, 5), "x", 100, false));
  CHECK_THAT(nothing, Contains("0 of 10 examined") && Contains("none passes every rule yet"));
}

TEST_CASE("a sparkline goes from the lowest bar to the highest", "[cli]") {
  CHECK(cli::sparkline({1, 2, 3, 4, 5, 6, 7, 8}, 8, true) == "▁▂▃▄▅▆▇█");
  CHECK(cli::sparkline({1, 8}, 8, false) == "_#");
  CHECK(cli::sparkline({NAN, 1, 2}, 3, false) == " _#");
  CHECK(cli::sparkline({1, 2, 3, 4}, 2, false) == ":#");  // 2 and 4, of 1 to 4
  CHECK(cli::sparkline({}, 8, true).empty());
}

TEST_CASE("watch without a terminal looks once and leaves the study as it is", "[cli]") {
  const tests::TempFolder folder;
  const fs::path run = make_run(folder, few());
  const tests::Finished f = tests::run_condenser({"watch", run.string()}, folder.path());
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK_THAT(f.out, Contains("digits_quickstart: never ran") && Contains("of 100 examined") && Contains("best: trial"));
  CHECK(f.out.find('\x1b') == std::string::npos);
  CHECK(search::make_sqlite_store((run / "study.sqlite").string())->load().size() == 41);
  CHECK(tests::run_condenser({"watch", (folder / "nowhere").string()}, folder.path()).code == 2);
  fs::remove(run / "study.sqlite");
  CHECK_THAT(tests::run_condenser({"watch", run.string(), "--once"}, folder.path()).out, Contains("0 proposals"));
  CHECK_FALSE(fs::exists(run / "study.sqlite"));  // looking makes none
}

TEST_CASE("watch in a terminal ends with the search", "[cli]") {
  const tests::TempFolder folder;
  const fs::path run = make_run(folder, few());
  auto lock = std::make_unique<core::FolderLock>(run);  // somebody searches
  std::thread searcher([&] {
    const auto store = search::make_sqlite_store((run / "study.sqlite").string());
    Trial late = tests::random_trials(1, 8, 4, true)[0];
    late.index = 41;
    late.state = TrialState::Failed;
    late.error = "came while somebody looked";
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    store->append(late);
    lock.reset();
  });
  const tests::Seen seen = tests::program_in_terminal(90, {CONDENSER_BINARY, "watch", run.string(), "--every", "0.1"},
                                                      folder.path().string());
  searcher.join();
  CHECK(seen.code == 0);
  CHECK_THAT(tests::without_escapes(seen.bytes), Contains("searching") && Contains("came while somebody looked"));
}

TEST_CASE("Ctrl-C ends the view with the code of an interrupt", "[cli]") {
  const tests::TempFolder folder;
  const fs::path run = make_run(folder, few());
  const core::FolderLock lock(run);
  const tests::Seen seen = tests::program_in_terminal(
      90, {"timeout", "--foreground", "--preserve-status", "-s", "INT", "1", CONDENSER_BINARY, "watch", run.string()},
      folder.path().string());
  CHECK(seen.code == 130);
  CHECK_THAT(tests::without_escapes(seen.bytes), Contains("searching"));
}
