// Searches whose answers come from real trainings: of the integers, and of networks that diverge.

#include <algorithm>
#include <cmath>

#include "condenser/search/probe_rows.hpp"
#include "condenser/search/store.hpp"
#include "pipeline/pipeline.hpp"

using namespace condenser;
using namespace condenser::tests;
using search::Trial;

namespace {

std::string run_file(const TempFolder& folder, const std::string& search, const std::string& probe) {
  const std::string source = CONDENSER_SOURCE_DIR;
  return folder.write("run.yaml", "name: s\nseed: 2\nstages: [search]\ndataset: {card: " + source +
                                      "/datasets/digits, samples: 2000}\nspace: " + source +
                                      "/search/spaces/columns_digits.yaml\nsearch: {generator: random, trials: 3, " +
                                      search + "}\nprobe: {samples: 1000, batch_size: 32, threads: 1, " + probe +
                                      "}\n");
}

std::vector<Trial> trials_in(const TempFolder& folder) {
  return search::open_study((folder / "runs/s/study.sqlite").string(), search::StoreMode::Look)->load();
}

}  // namespace

TEST_CASE("a search for int8_accuracy measures the integers, and what they do to every node", "[pipeline][slow]") {
  const TempFolder folder;
  const Finished f = run({CONDENSER_BINARY, "search",
                          run_file(folder, "objective: int8_accuracy", "epochs: 4, optimizer: adamw, lr: 0.01")},
                         folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  double spread = 0;
  for (const Trial& trial : trials_in(folder)) {
    REQUIRE(trial.state == search::TrialState::Done);
    const double whole = trial.findings.metrics.at("val_accuracy"), small = trial.findings.metrics.at("int8_accuracy");
    CHECK((small > 20 && std::abs(small - whole) < 15));  // ten classes; in int8 they lose a little
    const std::string suffix = search::reaction_key("", "int8_snr");
    int nodes = 0;
    double least = INFINITY, most = -INFINITY;
    for (const auto& [key, value] : trial.findings.node_scores) {
      if (!key.ends_with(suffix)) continue;
      ++nodes;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    CHECK(nodes > 10);
    CHECK((least > 0 && most < 80));
    spread = std::max(spread, most - least);
  }
  CHECK(spread > 3);
}

TEST_CASE("networks whose training diverges are failed trials with the reason", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = run_file(folder, "objective: val_accuracy", "epochs: 2, lr: 100, warmup_epochs: 0");
  const Finished f = run({CONDENSER_BINARY, "search", file}, folder.path());
  INFO(f.err);
  CHECK(f.code == 0);  // the third lives, though it learns nothing
  int failed = 0;
  for (const Trial& trial : trials_in(folder)) {
    for (const auto& [name, value] : trial.findings.metrics) CHECK(std::isfinite(value));
    if (trial.state != search::TrialState::Failed) continue;
    ++failed;
    CHECK(contains(trial.error, "training diverged"));
  }
  CHECK(failed == 2);
}
