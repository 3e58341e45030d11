// A training that pauses and goes on is one that never paused, to the bit, whatever happened to its file meanwhile.
#include <algorithm>

#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "train/quick_run.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

using search::Findings;
namespace fs = std::filesystem;

struct Ladder {
  testing::QuickRun run;
  search::Candidate candidate;
  testing::TemporaryFolder folder{"rungs"};

  Ladder() {
    run.options.epochs = 6;
    candidate.spec = run.spec;
  }
  std::unique_ptr<search::Probe> probe() const {
    return testing::backend().make_probe({"short_train", run.train, run.validation, run.options});
  }
  Findings ask(int epochs, const fs::path& state, const std::function<void(double)>& look = {}) const {
    Findings found;
    probe()->ask(candidate,
                 {.genotype = {},
                  .seed = 9,
                  .fidelity = epochs / 6.0,
                  .folder = state,
                  .on_progress =
                      [&](double fraction, const std::string&) {
                        if (look) look(fraction);
                      }},
                 found);
    return found;
  }
  Findings ask(int epochs) const { return ask(epochs, folder.path()); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> list;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) list.push_back(entry.path());
    return list;
  }
};

// How many steps an answer took.
int64_t steps_of(const Ladder& ladder, int epochs, const fs::path& state) {
  int64_t steps = 0;
  ladder.ask(epochs, state, [&](double) { ++steps; });
  return steps;
}

std::vector<double> first(std::vector<double> values, size_t count) {
  values.resize(count);
  return values;
}

}  // namespace

TEST_CASE("a short training that pauses equals one that does not", "[train][probes]") {
  Ladder ladder;
  ladder.run.options.optimizer = GENERATE(as<std::string>(), "sgd", "adamw");
  ladder.run.options.keep = GENERATE(as<std::string>(), "last", "best");
  if (ladder.run.options.optimizer == "adamw") ladder.run.options.lr = 0.01;
  const Findings whole = ladder.ask(6, {});
  CHECK(whole.curves.at("val_accuracy").size() == 6);
  CHECK(whole.curves.at("val_loss").size() == 6);

  const Findings one = ladder.ask(1), three = ladder.ask(3);
  CHECK(ladder.files().size() == 1);
  CHECK(one.curves.at("val_loss") == first(whole.curves.at("val_loss"), 1));
  CHECK(three.curves.at("val_loss") == first(whole.curves.at("val_loss"), 3));
  CHECK(one.metrics.at("val_loss") != three.metrics.at("val_loss"));
  CHECK(ladder.ask(6) == whole);
  CHECK(ladder.files().empty());
}

TEST_CASE("a paused training goes on and does not begin again", "[train][probes]") {
  const Ladder ladder;
  const auto& state = ladder.folder.path();
  CHECK(steps_of(ladder, 1, state) == 5);
  CHECK(steps_of(ladder, 3, state) == 10);
  CHECK(steps_of(ladder, 3, state) == 0);   // asked again: it stands there
  CHECK(steps_of(ladder, 2, state) == 10);  // of the past: from the start
  CHECK(steps_of(ladder, 6, state) == 20);
}

TEST_CASE("a paused training whose state is lost, damaged or another's arrives at the same bits", "[train][probes]") {
  Ladder ladder;
  const Findings whole = ladder.ask(6, {});
  ladder.ask(2);
  REQUIRE(ladder.files().size() == 1);
  const fs::path state = ladder.files().front();
  SECTION("lost") { fs::remove(state); }
  SECTION("damaged") {
    const std::string bytes = core::read_file(state);
    core::write_atomic(state, std::string_view(bytes).substr(0, bytes.size() / 2));
  }
  SECTION("another's") {
    Ladder other;
    other.run.options.lr = 0.05;
    other.ask(3);
    fs::copy_file(other.files().front(), state, fs::copy_options::overwrite_existing);
  }
  CHECK(ladder.ask(6) == whole);
}

TEST_CASE("a short training that is stopped goes on where it was", "[train][probes]") {
  const testing::ClearStop clear;
  Ladder ladder;
  const Findings whole = ladder.ask(6, {});
  ladder.ask(2);
  int64_t steps = 0;
  CHECK_THROWS_AS(ladder.ask(6, ladder.folder.path(),
                             [&](double) {
                               if (++steps == 7) core::request_stop(SIGINT);
                             }),
                  core::Stopped);
  core::request_stop(0);
  CHECK(steps_of(ladder, 6, ladder.folder.path()) == 20 - 7);
  CHECK(ladder.ask(6) == whole);
}

TEST_CASE("what diverges says the same with a state and without, and leaves none", "[train][probes]") {
  Ladder ladder;
  ladder.run.options.lr = 1e30;
  ladder.run.options.warmup_epochs = 0;
  ladder.run.options.weight_decay = 0;
  const auto failure = [&](const fs::path& state) -> std::string {
    try {
      ladder.ask(6, state);
    } catch (const search::CandidateError& e) {
      return e.what();
    }
    return "";
  };
  const std::string expected = failure({});
  CHECK(expected.find("diverged") != std::string::npos);
  CHECK(failure(ladder.folder.path()) == expected);
  CHECK(ladder.files().empty());
}

}  // namespace condenser::train
