// Training as a person sees it: the bar in a real terminal, what lies in the run folder afterwards, TensorBoard's own
// reader, the list of runs.

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "pipeline/pipeline.hpp"
#include "support/absent.hpp"
#include "support/terminal.hpp"

using nlohmann::json;
using namespace condenser::tests;

namespace {

std::string own_network(const TempFolder& folder) {
  return own_network_run(folder, "seen", 600, "epochs: 3, batch_size: 50, threads: 1, checkpoint_steps: 3");
}

json only_run(const TempFolder& folder) {
  const Finished f = run({CONDENSER_BINARY, "runs", "--format", "json"}, folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  const json rows = json::parse(f.out);
  REQUIRE(rows.size() == 1);
  return rows[0];
}

int64_t lines_with(const fs::path& file, const std::string& part) {
  std::istringstream in(slurp(file));
  int64_t count = 0;
  for (std::string line; std::getline(in, line);) count += contains(line, part);
  return count;
}

}  // namespace

TEST_CASE("training in a terminal shows one line that never wraps and leaves curves and mistakes", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = own_network(folder);
  const Seen seen = program_in_terminal(120, command("train", file), folder.path().string(),
                                        {"COLUMNS=", "TERM=xterm", "NO_COLOR=1"});
  INFO(seen.bytes);
  REQUIRE(seen.code == 0);
  std::istringstream drawn(seen.bytes);
  int64_t bars = 0;
  for (std::string line; std::getline(drawn, line, '\r');) {
    const std::string plain = without_escapes(line);
    if (!contains(plain, "train [")) continue;
    ++bars;
    CHECK(plain.size() < 120);
    for (const char* fact : {" %", "epoch ", "loss ", " left"}) CHECK(contains(plain, fact));
  }
  CHECK(bars >= 1);
  CHECK(contains(seen.bytes, "95 % interval"));
  CHECK(!contains(seen.bytes, "\033[3"));

  const fs::path r = folder / "runs/seen";
  CHECK(slurp(r / "curves.svg").starts_with("<svg"));
  CHECK(slurp(r / "validation/confusion.svg").starts_with("<svg"));
  CHECK(lines_with(r / "validation/per_class.csv", ",") == 12);  // names, ten classes, their mean
  const json trained = json::parse(slurp(r / "train.json"));
  CHECK(lines_with(r / "validation/predictions.csv", ",1") >= trained["validation_correct"].get<int64_t>());

  const Finished eval = run(command("eval", "runs/seen"), folder.path());
  INFO(eval.err);
  REQUIRE(eval.code == 0);
  for (const char* part : {"precision %", "macro average", "taken for", "test part: ", "95 % interval"})
    CHECK(contains(eval.out, part));
  const json evaluated = json::parse(slurp(r / "eval/evaluation.json"));
  std::istringstream predictions(slurp(r / "eval/predictions.csv"));
  int64_t correct = 0, items = -1;  // the first line holds names
  for (std::string line; std::getline(predictions, line); ++items) correct += line.ends_with(",1");
  CHECK(items == 2000);
  CHECK(correct == evaluated["correct"]);
  CHECK(slurp(r / "eval/mistakes.png").starts_with("\x89PNG"));
  CHECK(json::parse(run({CONDENSER_BINARY, "eval", "runs/seen", "--format", "json"}, folder.path()).out) == evaluated);

  const json row = only_run(folder);
  CHECK(row["state"] == "finished");
  CHECK(row["test_accuracy_percent"] == evaluated["accuracy_percent"]);
  CHECK(row["network"] == "my_net");
}

TEST_CASE("TensorBoard's own reader sees metrics.csv, also of a run that was killed, stopped and resumed",
          "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = own_network(folder);
  const fs::path r = folder / "runs/seen";
  {
    Process process(stopping_at("STOP@write:status.json", command("train", file)), folder.path());
    REQUIRE(process.wait_until_stopped());
    process.kill_now();
  }
  {
    // The second epoch has begun.
    Process process(stopping_at("STOP@train:step:14", command("train", file)), folder.path());
    REQUIRE(process.wait_until_stopped());
    CHECK(lines_with(r / "metrics.csv", ",") > 1);
    CHECK(only_run(folder)["state"] == "running (train)");
    process.kill_now();
  }
  CHECK(only_run(folder)["state"] == "killed (train)");
  {
    const Finished stopped = run(stopping_at("TERM@train:step:26", command("train", file)), folder.path());
    CHECK(contains(stopped.err, "resuming at step"));
    CHECK(stopped.code == 143);
  }
  CHECK(only_run(folder)["state"] == "stopped (train)");
  REQUIRE(run(command("train", file), folder.path()).code == 0);
  CHECK(only_run(folder)["state"] == "finished");
  CHECK(lines_with(r / "metrics.csv", ",") == 4);
  const auto event_files = std::count_if(fs::directory_iterator(r), fs::directory_iterator(), [](const auto& entry) {
    return entry.path().filename().string().starts_with("events.out.tfevents.");
  });
  CHECK(event_files >= 2);

  const std::string source = CONDENSER_SOURCE_DIR, python = source + "/.venv/bin/python";
  if (!fs::exists(python)) {
    condenser::tests::skip_without("tensorboard", "no .venv");
    return;
  }
  const Finished read = run({python, source + "/scripts/check_tensorboard.py", r.string()}, folder.path());
  if (read.code == 77) {
    condenser::tests::skip_without("tensorboard", read.err);
    return;
  }
  INFO(read.out << read.err);
  CHECK(read.code == 0);
}
