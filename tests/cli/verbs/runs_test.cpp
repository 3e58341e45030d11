// `condenser runs` on folders made by hand: every state, foreign and broken folders, a thousand of them.

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/records/records.hpp"
#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using tests::Finished;
namespace fs = std::filesystem;

namespace {

json status(const std::string& state, int created, double seconds = 12.5) {
  return {{"schema_version", 1}, {"verb", "run"},      {"stage", "train"},   {"state", state},    {"message", ""},
          {"data", "digits"},    {"created", created}, {"started", created}, {"seconds", seconds}};
}

void make_run(const fs::path& folder, const json& of_status) {
  core::write_atomic(folder / "config.resolved.yaml", "name: x\n");
  core::write_atomic(folder / "status.json", of_status.dump());
}

Finished list(const fs::path& folder, const std::string& format = "text") {
  return tests::run_condenser({"runs", "--format", format}, folder);
}

json rows(const fs::path& folder) {
  const Finished f = list(folder, "json");
  INFO(f.err);
  CHECK(f.code == 0);
  return json::parse(f.out);
}

}  // namespace

TEST_CASE("runs tells state, network, accuracies and duration, the newest last", "[cli]") {
  const tests::TempFolder folder;
  const fs::path runs = folder / "runs";
  make_run(runs / "late", status("finished", 2'000'000'000));
  make_run(runs / "early", status("finished", 1'000'000'000, 3725));
  cli::write_record(runs / "early", cli::WinnerRecord{});
  cli::write_record(
      runs / "early",
      cli::TrainRecord{.network = "mine", .params = 15234, .validation_correct = 975, .validation_total = 1000});
  cli::write_record(runs / "early", cli::QuantRecord{.test_float = {.accuracy_percent = 98.8},
                                                     .test_int8 = {.accuracy_percent = 98.7,
                                                                   .metrics = {{"macro_f1_percent", 97.25}}}});
  const json all = rows(folder.path());
  REQUIRE(all.size() == 2);
  CHECK(all[0]["name"] == "early");
  CHECK(all[0]["state"] == "finished");
  CHECK(all[0]["stages_done"] == "search train quantize");
  CHECK(all[0]["network"] == "mine");
  CHECK(all[0]["data"] == "digits");
  CHECK(all[0]["params"] == 15234);
  CHECK(all[0]["val_accuracy_percent"] == 97.5);
  CHECK(all[0]["test_accuracy_percent"] == 98.8);
  CHECK(all[0]["int8_accuracy_percent"] == 98.7);
  CHECK(all[0]["int8_macro_f1_percent"] == 97.25);
  CHECK(all[0]["int8_auc_percent"].is_null());
  CHECK(all[0]["seconds"] == 3725);
  CHECK(all[0]["created"] == 1'000'000'000);
  CHECK(all[1]["params"].is_null());

  cli::write_record(runs / "early/eval", cli::EvaluationRecord{.accuracy_percent = 98.85});
  CHECK(rows(folder.path())[0]["test_accuracy_percent"] == 98.85);
  const std::string text = list(folder.path()).out;
  CHECK_THAT(text, Contains("2 runs in runs") && Contains("1 h 2 min") && Contains("15,234") && Contains("98.85"));
  CHECK_THAT(text, !Contains("note"));  // nobody has one
  CHECK_THAT(tests::run_condenser({"runs", "runs/early"}, folder.path()).out, Contains("early") && !Contains("late"));
}

TEST_CASE("validation figures of items that were trained on say so; warnings of the report are noted", "[cli]") {
  const tests::TempFolder folder;
  const fs::path run = folder / "runs/a_run_with_quite_a_long_name_as_people_give_them_to_tell_them_apart_later_on";
  make_run(run, status("finished", 1'000'000'000));
  for (const char* file : {"winner.json", "export", "verify.json", "report.md"}) core::write_atomic(run / file, "{}");
  cli::write_record(run, cli::TrainRecord{.network = "columns",
                                          .params = 22618,
                                          .on_validation = true,
                                          .validation_correct = 799,
                                          .validation_total = 800});
  cli::write_record(
      run, cli::QuantRecord{.test_float = {.accuracy_percent = 98.7}, .test_int8 = {.accuracy_percent = 98.8}});
  core::write_atomic(run / "summary.json", R"({"warnings": [{"code": "trained_on_validation", "message": "x"},
                       {"code": "limit_missed", "message": "y"}, {"code": "limit_missed", "message": "z"}]})");
  const json all = rows(folder.path());
  CHECK(all[0]["val_accuracy_percent"] == 99.875);
  CHECK(all[0]["val_trained_on"] == true);
  CHECK(all[0]["note"] == "limit missed");
  CHECK(all[0]["stages_done"] == "search train quantize export verify report");
  const std::string text = list(folder.path()).out;
  INFO(text);
  CHECK_THAT(text, Contains("99.88 *") && Contains("no measure of the network") && Contains("later_on: limit missed"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("a_run_with_quite_a_long_name_as")) CHECK(line.size() <= 100);
}

TEST_CASE("a living process, a killed one, a stop and a failure are told apart", "[cli]") {
  const tests::TempFolder folder;
  const fs::path runs = folder / "runs";
  make_run(runs / "1", status("running", 1));
  make_run(runs / "2", status("running", 2));
  make_run(runs / "3", status("stopped", 3));
  make_run(runs / "4", status("failed", 4));
  const core::FolderLock lock(runs / "1");
  const json all = rows(folder.path());
  REQUIRE(all.size() == 4);
  CHECK(all[0]["state"] == "running (train)");
  CHECK(all[1]["state"] == "killed (train)");
  CHECK(all[2]["state"] == "stopped (train)");
  CHECK(all[3]["state"] == "failed (train)");
}

TEST_CASE("foreign and broken folders do not spoil the list", "[cli]") {
  const tests::TempFolder folder;
  const fs::path runs = folder / "runs";
  make_run(runs / "good", status("finished", 5));
  make_run(runs / "bad", status("finished", 4));
  core::write_atomic(runs / "bad/status.json", "{\"state\": ");
  core::write_atomic(runs / "bad/train.json", "[1, 2]");
  core::write_atomic(runs / "bad/quant_report.json", R"({"test_float": 7, "test_int8": {"accuracy_percent": "much"}})");
  core::write_atomic(runs / "old/config.resolved.yaml", "name: of an earlier version\n");
  core::write_atomic(runs / "photos/cat.jpg", "x");
  core::write_atomic(runs / "notes.txt", "x");
  fs::create_directory_symlink("nowhere", runs / "dangling");
  const json all = rows(folder.path());
  REQUIRE(all.size() == 3);
  for (const auto& row : all) {
    if (row["name"] == "bad")
      CHECK_THAT(row["note"].get<std::string>(), Contains("status.json") && Contains("train.json"));
    if (row["name"] == "bad") CHECK(row["int8_accuracy_percent"].is_null());
    if (row["name"] == "old") CHECK(row["state"] == "unknown");
    if (row["name"] == "good") CHECK(row["note"].is_null());
  }
  CHECK_THAT(list(folder.path()).out, Contains("3 other files or folders"));
  const Finished none = tests::run_condenser({"runs", "nowhere"}, folder.path());
  CHECK(none.code == 2);
  CHECK_THAT(none.err, Contains("nowhere: no such folder"));
}

TEST_CASE("no runs is an empty list; a thousand are a list in order", "[cli]") {
  const tests::TempFolder folder;
  fs::create_directories(folder / "runs");
  CHECK(rows(folder.path()).empty());
  CHECK_THAT(list(folder.path()).out, Contains("0 runs"));
  for (int k = 0; k < 1000; ++k) {  // plain writes: flushing a thousand files is not what is tested
    const fs::path run = folder / "runs" / ("r" + std::to_string((k * 7) % 1000));
    fs::create_directories(run);
    std::ofstream(run / "config.resolved.yaml") << "name: x\n";
    std::ofstream(run / "status.json") << status("finished", 1000 + (k * 7) % 1000).dump();
  }
  const json all = rows(folder.path());
  REQUIRE(all.size() == 1000);
  for (size_t k = 1; k < all.size(); ++k) CHECK(all[k - 1]["created"] < all[k]["created"]);
}
