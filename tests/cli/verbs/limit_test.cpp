// A run that is finished though a limit does not hold: its exit code and its words.

#include <nlohmann/json.hpp>

#include "condenser/arch/spec_io.hpp"
#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using tests::Finished;

namespace {

// A run of one's own network whose test part was evaluated: 950 of 1000 right.
struct EvaluatedRun {
  tests::TempFolder folder;
  std::string run_file;

  EvaluatedRun() {
    const std::string root = CONDENSER_SOURCE_DIR;
    run_file = folder.write("run.yaml", "condenser: 1\nname: mine\nstages: [search, report]\ndataset: {card: " + root +
                                            "/datasets/digits}\nspec: " + root +
                                            "/experiments/own_network/my_net.yaml\n"
                                            "gate: {comparator: {name: better, min_accuracy: 96}}\n");
    CHECK(run().code == 0);  // nothing is measured yet
    std::vector<std::vector<int>> confusion(10, std::vector<int>(10, 0));
    std::vector<std::string> classes;
    for (size_t k = 0; k < 10; ++k) {
      classes.push_back(std::to_string(k));
      confusion[k][k] = 95;
      confusion[k][(k + 1) % 10] = 5;
    }
    const arch::Spec winner = arch::read_spec(folder / "runs/mine/winner.arch.json");
    const json evaluation{{"schema_version", 1},
                          {"part", "test part"},
                          {"spec_hash", arch::hash(winner).hex()},
                          {"correct", 950},
                          {"total", 1000},
                          {"accuracy_percent", 95.0},
                          {"low_percent", 93.5},
                          {"high_percent", 96.2},
                          {"loss", nullptr},
                          {"balanced_accuracy_percent", nullptr},
                          {"macro_f1_percent", nullptr},
                          {"auc_percent", nullptr},
                          {"classes", classes},
                          {"per_class", json::array()},
                          {"confusion", confusion}};
    core::write_atomic(folder / "runs/mine/eval/evaluation.json", evaluation.dump());
  }
  Finished run(const std::string& format = "text") const {
    return tests::run_condenser({"run", run_file, "--format", format, "--runs", (folder / "runs").string()});
  }
};

}  // namespace

TEST_CASE("a missed accuracy of the comparator has an exit code of its own and is said everywhere", "[cli]") {
  const EvaluatedRun mine;
  const Finished text = mine.run();
  INFO(text.err);
  CHECK(text.code == 6);
  CHECK_THAT(text.out, Contains("warning         beats_comparator does not hold: 95 %; limit at least 96 % (better)"));
  const Finished summary = mine.run("json");
  CHECK(summary.code == 6);
  CHECK(json::parse(summary.out)["warnings"][0]["code"] == "limit_missed");
  for (const char* file : {"report.html", "report.md", "report.json", "summary.json"})
    CHECK_THAT(core::read_file(mine.folder / ("runs/mine/" + std::string(file))),
               Contains("95 %; limit at least 96 %"));
}
