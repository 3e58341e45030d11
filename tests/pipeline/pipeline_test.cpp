// The whole job through the real binary on real digits, with processes really killed: a resumed run must equal an
// uninterrupted one.

#include <map>

#include "condenser/search/study.hpp"
#include "pipeline/pipeline.hpp"
#include "support/metrics_rows.hpp"

using namespace condenser::tests;

namespace {

std::string small_run(const TempFolder& folder, const std::string& more = "") {
  const std::string source = CONDENSER_SOURCE_DIR;
  return folder.write("run.yaml",
                      "name: small\nseed: 5\n"
                      "dataset: {card: " +
                          source +
                          "/datasets/digits, samples: 900}\n"
                          "space: " +
                          source +
                          "/search/spaces/columns_digits.yaml\n"
                          "gate: {from: " +
                          source +
                          "/search/budgets/mcu_32k.yaml}\n"
                          "search: {generator: evolution, trials: 4}\n"
                          "probe: {samples: 200, epochs: 1, batch_size: 50, threads: 1, warmup_epochs: 0.5}\n"
                          "train: {epochs: 3, batch_size: 50, threads: 1, checkpoint_steps: 5, ema_decay: 0.9, "
                          "augment: {shift: 2, cutout: 4}}\n"
                          "quantize: {calibration_samples: 64, max_loss: 100, qat: {epochs: 2}}\n"
                          "verify: {samples: 20}\n" +
                          more);
}

// Of the study alone.
std::map<std::string, std::string> trials(const fs::path& folder) {
  std::map<std::string, std::string> r;
  for (auto trial : condenser::search::make_sqlite_store((folder / "study.sqlite").string())->load()) {
    std::string text = std::string(condenser::search::to_string(trial.state)) + " " + trial.hash.hex() + " " +
                       std::to_string(trial.same_as) + " " + trial.error;
    for (const auto& [name, value] : trial.findings.metrics) text += " " + name + "=" + std::to_string(value);
    for (const auto& v : trial.verdicts) text += " " + v.rule + (v.passed ? "+" : "-") + v.value;
    r["trial " + std::to_string(trial.index)] = text;
  }
  return r;
}

// Everything that a run decides, without clocks.
std::map<std::string, std::string> results(const fs::path& folder) {
  std::map<std::string, std::string> r;
  for (const char* file : {"summary.json", "winner.arch.json", "winner.json", "weights.safetensors",
                           "weights_int8.safetensors", "quant.json", "export/c99/manifest.json"})
    r[file] = fs::exists(folder / file) ? sha256_file(folder / file) : "missing";
  for (const std::string& row : condenser::testing::metrics(folder)) r["metrics.csv"] += row + "\n";
  r.merge(trials(folder));
  return r;
}

// The uninterrupted run, once for all tests; others are compared with it.
const std::map<std::string, std::string>& reference() {
  static const std::map<std::string, std::string> r = [] {
    const TempFolder folder;
    const Finished f = run(command("run", small_run(folder)), folder.path());
    INFO(f.err);
    REQUIRE(f.code == 0);
    return results(folder / "runs/small");
  }();
  return r;
}

bool no_temporary_files(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (contains(entry.path().filename().string(), ".tmp")) return false;
  return true;
}

}  // namespace

TEST_CASE("the whole run ends with a verified int8 network and prints what matters", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = small_run(folder);
  const Finished f = run(command("run", file), folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  const fs::path r = folder / "runs/small";
  for (const char* name : {"config.resolved.yaml", "env.json", "log.txt", "study.sqlite", "metrics.csv",
                           "metrics.jsonl", "report.md", "summary.json", "export/c99/model.h", "export/c99/model.c",
                           "export/c99/manifest.json", "export/c99/Makefile", "export/c99/model_test.c"})
    CHECK(fs::exists(r / name));
  for (const char* line : {"winner", "float accuracy", "int8 accuracy", "95 % interval", "parameters", "flash", "RAM",
                           "files", "condenser init "})
    CHECK(contains(f.out, line));
  CHECK(contains(slurp(r / "report.md"), "```mermaid"));
  CHECK(contains(slurp(r / "report.md"), "Refusals by rule"));
  const std::string certificate = slurp(r / "certificate.json");
  for (const char* text : {"\"exported_network\"", "\"column_layout\"", "\"antialiased_downsampling\"",
                           "\"no_strided_pointwise\"", "\"holds\": true"})
    CHECK(contains(certificate, text));

  SECTION("again: nothing is repeated, the same end") {
    const auto before = results(r);
    const Finished again = run(command("run", file), folder.path());
    CHECK(again.code == 0);
    CHECK(!contains(again.err, "search: [1/"));
    CHECK(results(r) == before);
  }
  SECTION("the run folder stands for its run file") {
    const Finished eval = run({CONDENSER_BINARY, "eval", "runs/small", "--format", "json"}, folder.path());
    INFO(eval.err);
    CHECK(eval.code == 0);
    CHECK(contains(eval.out, "accuracy_percent"));
  }
  SECTION("options of speed may change") {
    const auto before = results(r);
    const Finished again = run({CONDENSER_BINARY, "run", file, "train.threads=1", "train.loader_threads=2",
                                "probe.threads=1", "train.checkpoint_steps=7", "dataset.cache_folder=elsewhere"},
                               folder.path());
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(!contains(again.err, "search: [1/"));
    CHECK(results(r) == before);
  }
  SECTION("another configuration is refused, --fresh moves the old run aside") {
    const Finished other = run({CONDENSER_BINARY, "run", file, "probe.epochs=2"}, folder.path());
    CHECK(other.code == 2);
    CHECK(contains(other.err, "--fresh"));
    CHECK(contains(other.err, "probe.epochs 1 -> 2"));
    const Finished fresh =
        run({CONDENSER_BINARY, "run", file, "train.epochs=1", "stages=[search]", "--fresh"}, folder.path());
    INFO(fresh.err);
    CHECK(fresh.code == 0);
    CHECK(std::distance(fs::directory_iterator(folder / "runs"), fs::directory_iterator()) == 2);
  }
  SECTION("an export that was tampered with does not verify") {
    std::string weights;
    fs::path target;
    for (const char* name : {"model_weights.c", "model.c"})
      if (target.empty() && fs::exists(r / "export/c99" / name)) target = r / "export/c99" / name;
    std::string text = slurp(target);
    const size_t brace = text.find("{", text.find("int8_t"));
    REQUIRE(brace != std::string::npos);
    const size_t digit = text.find_first_of("123456789", brace);
    text[digit] = text[digit] == '9' ? '1' : static_cast<char>(text[digit] + 1);
    std::ofstream(target) << text;
    const Finished f2 = run(command("verify", file), folder.path());
    CHECK(f2.code == 4);
  }
}

TEST_CASE("candidates that are examined in processes of their own, several at once, give the same study",
          "[pipeline][slow]") {
  std::vector<std::map<std::string, std::string>> all;
  for (const char* how : {"search.parallel=1", "search.parallel=2", "search.trial_seconds=600"}) {
    const TempFolder folder;
    const Finished f = run({CONDENSER_BINARY, "search", small_run(folder), "search.window=1", how}, folder.path());
    INFO(how << ": " << f.err);
    REQUIRE(f.code == 0);
    all.push_back(trials(folder / "runs/small"));
  }
  CHECK(all[0].size() > 4);
  CHECK(all[1] == all[0]);
  CHECK(all[2] == all[0]);
}

TEST_CASE("kill -9 at any moment: the run goes on and ends the same", "[pipeline][slow]") {
  const auto& expected = reference();
  const TempFolder folder;
  const std::string file = small_run(folder);
  // In the order in which a run passes them; "write" is between a whole temporary file and its name.
  for (const std::string moment : {"stage:search",           "search:trial:0", "search:trial:2",
                                   "write:winner.arch.json", "stage:train",    "train:step:1",
                                   "train:step:5",           "train:step:6",   "write:last.safetensors",
                                   "train:step:17",          "train:step:33",  "write:weights.safetensors",
                                   "write:train.json",       "stage:quantize", "write:weights_int8.safetensors",
                                   "write:quant.json",       "stage:export",   "stage:verify",
                                   "write:verify.json",      "stage:report",   "write:summary.json"}) {
    INFO(moment);
    const Finished killed = run(stopping_at("KILL@" + moment, command("run", file)), folder.path());
    INFO(killed.err);
    CHECK(killed.code == 128 + SIGKILL);
  }
  const Finished last = run(command("run", file), folder.path());
  INFO(last.err);
  REQUIRE(last.code == 0);
  CHECK(results(folder / "runs/small") == expected);
  CHECK(no_temporary_files(folder / "runs/small"));
}

TEST_CASE("signals in every stage: saved, told how to go on, and the right exit code", "[pipeline][slow]") {
  const auto& expected = reference();
  const TempFolder folder;
  const std::string file = small_run(folder);
  struct Case {
    const char* moment;
    int code;
  };
  for (const Case& c : {Case{"INT@stage:search", 130}, Case{"TERM@search:trial:1", 143}, Case{"USR1@train:step:3", 75},
                        Case{"HUP@train:step:9", 129}, Case{"INT@stage:quantize", 130}, Case{"TERM@stage:export", 143},
                        Case{"INT@stage:verify", 130}, Case{"INT@stage:report", 130}}) {
    const Finished f = run(stopping_at(c.moment, command("run", file)), folder.path());
    INFO(c.moment << ": " << f.err);
    CHECK(f.code == c.code);
    CHECK(contains(f.err, "go on with: condenser run"));
  }
  const Finished end = run(command("run", file), folder.path());
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK(results(folder / "runs/small") == expected);
}

TEST_CASE("a second process on the same run folder is refused while the first lives", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = small_run(folder);
  Process first(stopping_at("STOP@stage:search", command("run", file)), folder.path());
  REQUIRE(first.wait_until_stopped());
  const Finished second = run(command("run", file), folder.path());
  CHECK(second.code == 5);
  CHECK(contains(second.err, "small"));
  first.kill_now();
  const Finished third = run(command("search", file), folder.path());
  INFO(third.err);
  CHECK(third.code == 0);
}

TEST_CASE("a space without a feasible candidate ends with the refusals by rule and exit code 3", "[pipeline][slow]") {
  const TempFolder folder;
  std::string text = slurp(small_run(folder));
  const std::string file = folder.write("run.yaml", text);
  const Finished f =
      run({CONDENSER_BINARY, "run", file, "gate.max_params=10", "search.max_proposals=40"}, folder.path());
  INFO(f.err);
  CHECK(f.code == 3);
  CHECK(contains(f.err, "max_params refused 40: at most 10 parameters; nearest "));
  CHECK(!fs::exists(folder / "runs/small/winner.arch.json"));
}

TEST_CASE("a full disk ends the run with one line and leaves nothing half-written", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = small_run(folder);
  REQUIRE(run(command("search", file), folder.path()).code == 0);
  const Finished f = run(command("train", file), folder.path(), 20'000);  // checkpoints are larger
  INFO(f.err);
  CHECK(f.code == 1);
  CHECK(!fs::exists(folder / "runs/small/weights.safetensors"));
  CHECK(no_temporary_files(folder / "runs/small"));
  const Finished again = run(command("train", file), folder.path());
  INFO(again.err);
  CHECK(again.code == 0);
}

TEST_CASE("damaged files of a run are refused by name", "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = small_run(folder);
  REQUIRE(run({CONDENSER_BINARY, "run", file, "stages=[search, train, quantize]"}, folder.path()).code == 0);
  const fs::path r = folder / "runs/small";
  const std::string weights = slurp(r / "weights.safetensors");
  std::ofstream(r / "weights.safetensors", std::ios::binary) << weights.substr(0, weights.size() / 2);
  const Finished truncated = run(command("quantize", file), folder.path());
  CHECK(truncated.code == 1);
  CHECK(contains(truncated.err, "weights.safetensors"));
  std::ofstream(r / "weights.safetensors", std::ios::binary) << weights;
  fs::copy_file(r / "weights_int8.safetensors", r / "weights.safetensors", fs::copy_options::overwrite_existing);
  const Finished foreign = run(command("quantize", file), folder.path());
  CHECK(foreign.code == 1);
  CHECK(contains(foreign.err, "weights"));
}
