// A search that chooses what stands before its network, through to a verified export, and the winner's own run file.

#include <nlohmann/json.hpp>

#include "pipeline/pipeline.hpp"

using nlohmann::json;
using namespace condenser::tests;

namespace {

const std::string kSource = CONDENSER_SOURCE_DIR;

std::string sizes_run(const TempFolder& folder) {
  return folder.write(
      "run.yaml", "name: sizes\nseed: 5\ndataset: {card: " + kSource +
                      "/datasets/digits, samples: 600}\n"
                      "space:\n  space: columns\n  input: {size: [12, 16, 20]}\n  stages: [1]\n  stem_width: [8]\n"
                      "  activation: [relu]\n  merge_stage: [1]\n"
                      "  s1: {width: [16], depth: [1], columns: [2], block: [basic], attention: [false], kernel: [3]}\n"
                      "gate: {rules: []}\nsearch: {generator: random, trials: 3}\n"
                      "probe: {epochs: 1, batch_size: 50, threads: 1}\n"
                      "train: {epochs: 2, batch_size: 50, threads: 1}\nquantize: {calibration_samples: 64}\nverify: "
                      "{samples: 20}\n");
}

json read_json(const fs::path& file) { return json::parse(slurp(file)); }

Finished done(const Command& words, const TempFolder& folder) {
  const Finished f = run(words, folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  return f;
}

}  // namespace

TEST_CASE("a size that the search chose stays with its winner: trained, quantized, exported, verified",
          "[pipeline][slow]") {
  const TempFolder folder;
  const std::string file = sizes_run(folder);
  done(command("run", file), folder);
  const fs::path r = folder / "runs/sizes";
  const json winner = read_json(r / "winner.json"), learned = read_json(r / "learned.json"),
             summary = read_json(r / "summary.json");
  const int64_t size = winner["input"]["size"];
  CHECK((size == 12 || size == 16 || size == 20));
  CHECK(learned["shape"] == json::array({1, size, size}));
  CHECK(read_json(r / "winner.arch.json")["input"] == json::array({1, size, size}));
  CHECK(contains(slurp(r / "winner.yaml"), "\n  size: " + std::to_string(size) + "\n"));
  CHECK(read_json(r / "verify.json")["passed"] == true);
  const Finished study = done({CONDENSER_BINARY, "study", "show", "runs/sizes"}, folder);
  CHECK(contains(study.out, "full examinations spent: 3 of 3"));  // one network, in three sizes

  const auto before = sha256_file(r / "weights.safetensors");
  const Finished again = done(command("run", file), folder);
  CHECK(!contains(again.err, "search: [1/"));
  CHECK(sha256_file(r / "weights.safetensors") == before);
  done({CONDENSER_BINARY, "study", "replay", "runs/sizes"}, folder);
  const Finished why =
      done({CONDENSER_BINARY, "study", "why", "runs/sizes", std::to_string(winner["trial"].get<int>())}, folder);
  CHECK(contains(why.out, "input_size"));
  const Finished eval = done({CONDENSER_BINARY, "eval", "runs/sizes", "--format", "json"}, folder);

  // The winner alone, from its own file: the same data, the same training, the same answers.
  done({CONDENSER_BINARY, "run", "runs/sizes/winner.yaml"}, folder);
  const fs::path w = folder / "runs/sizes_winner";
  const json there = read_json(w / "train.json"), here = read_json(r / "train.json");
  CHECK(there["validation_correct"] == here["validation_correct"]);
  CHECK(there["spec_hash"] == here["spec_hash"]);
  CHECK(read_json(w / "learned.json")["shape"] == learned["shape"]);
  const Finished eval_there = done({CONDENSER_BINARY, "eval", "runs/sizes_winner", "--format", "json"}, folder);
  CHECK(json::parse(eval.out)["correct"] == json::parse(eval_there.out)["correct"]);
  CHECK(read_json(w / "verify.json")["passed"] == true);
}
