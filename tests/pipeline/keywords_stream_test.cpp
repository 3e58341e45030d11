// Keywords from a folder of sounds to an export that hears a stream, and what it misses on one.

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "condenser/core/rng.hpp"
#include "data/fixtures.hpp"
#include "pipeline/pipeline.hpp"

using namespace condenser::tests;

namespace {

constexpr int kRate = 8000, kClips = 40;

// A second with a tone of a third of it in the middle, over quiet noise.
std::string clip_of(double hz, uint64_t seed) {
  condenser::core::Rng rng(seed, 0x70E);
  std::string samples;
  for (int t = 0; t < kRate; ++t) {
    const bool sounds = t > kRate / 3 && t < 2 * kRate / 3;
    const double tone = sounds ? 6000 * std::sin(2 * std::numbers::pi * hz * t / kRate) : 0;
    samples += condenser::data::testing::little_endian(
        static_cast<uint16_t>(static_cast<int16_t>(tone + rng.uniform(-50, 50))), 2);
  }
  return condenser::data::testing::wav_bytes({.rate = kRate}, samples);
}

const char* const kNetwork = R"(condenser_spec: 1
name: tones
input: [1, 49, 10]
nodes:
  - {name: stem, op: conv2d, out: 8, kernel: [5, 10], stride: [2, 1], pad: [2, 2, 0, 0]}
  - {name: stem_bn, op: batch_norm}
  - {name: stem_act, op: activation, kind: relu}
  - {name: head, block: classifier_head, classes: 3}
)";

const char* const kCard = R"(condenser_card: 1
name: tones
about: tones
source: made here
license: CC0
format: wav_folder
root: data
sample_rate: 8000
clip_ms: 1000
features: {kind: mfcc, high_hz: 4000, LEVEL}
classes: [high, low, _silence_]
mean: [0]
std: [5]
splits:
  train: [{path: .}]
  validation: [{path: .}]
  test: [{path: .}]
)";

const char* const kRun = R"(name: tones
seed: 1
dataset: {card: card.yaml}
spec: net.yaml
train: {epochs: 8, batch_size: 16, lr: 0.02, augment: {shift: 0}}
export: {targets: [c99], stream: frames}
verify: {samples: 24}
)";

void write_tones(const TempFolder& folder) {
  for (const auto& [name, hz] : {std::pair{"low", 300.0}, std::pair{"high", 1500.0}, std::pair{"_silence_", 0.0}})
    for (int k = 0; k < kClips; ++k)
      folder.write(std::string("data/") + name + "/" + std::to_string(k) + ".wav",
                   clip_of(hz * (1 + 0.004 * k), static_cast<uint64_t>(k)));
}

// What a file of a run says about a rule.
std::string value_of(const TempFolder& folder, const std::string& file, const char* list, const std::string& rule) {
  const auto said = nlohmann::json::parse(slurp(folder / ("runs/chosen/" + file)));
  for (const auto& verdict : said.at(list))
    if (verdict.at("rule") == rule) return verdict.at("value");
  return "";
}

}  // namespace

TEST_CASE("a front-end that the search chose counts behind the search as it did before", "[pipeline][slow]") {
  const TempFolder folder;
  write_tones(folder);
  std::string card = kCard;
  folder.write("card.yaml", card.replace(card.find("LEVEL"), 5, "level: full_scale"));
  folder.write("run.yaml", R"(name: chosen
seed: 1
dataset: {card: card.yaml}
space:
  space: temporal
  front_end: {coefficients: [8, 12]}
  stages: [2]
  stem_width: [8]
  s1: {width: [8], depth: [1], kernel: [3], expansion: [1]}
  s2: {width: [8], depth: [1], kernel: [3], expansion: [1]}
gate: {rules: [], max_constant_bytes: 60000, max_arena_bytes: 60000}
search: {generator: random, trials: 2}
probe: {epochs: 1, batch_size: 16, augment: {shift: 0}}
train: {epochs: 1, batch_size: 16, augment: {shift: 0}}
quantize: {max_loss: 100}
)");
  const Finished f = run_condenser({"run", "run.yaml"}, folder.path());
  INFO(f.out << f.err);
  REQUIRE(f.code == 0);
  for (const char* rule : {"max_constant_bytes", "max_arena_bytes"}) {
    INFO(rule);
    const std::string counted = value_of(folder, "winner.json", "verdicts", rule);
    CHECK(!counted.empty());
    CHECK(value_of(folder, "certificate.json", "rules", rule) == counted);
    CHECK(value_of(folder, "summary.json", "verdicts", rule) == counted);
  }
  CHECK(contains(slurp(folder / "runs/chosen/report.html"), "more for the front-end"));
}

TEST_CASE("keywords go from a folder of sounds to a stream that hears them", "[pipeline][slow]") {
  const TempFolder folder;
  write_tones(folder);
  folder.write("net.yaml", kNetwork);
  folder.write("run.yaml", kRun);
  std::string card = kCard;
  const size_t level = card.find("LEVEL");
  folder.write("card.yaml", std::string(card).replace(level, 5, "level: peak"));
  const auto run = [&](const Command& words) { return run_condenser(words, folder.path()); };
  const Command chain{"run", "run.yaml", "stages=[train, quantize, export, verify]"};
  const Finished refused = run(chain);
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "level: full_scale"));

  folder.write("card.yaml", std::string(card).replace(level, 5, "level: full_scale"));
  const Finished f = run(chain);
  INFO(f.out << f.err);
  REQUIRE(f.code == 0);
  CHECK(contains(f.out, "as a stream of"));

  const Finished table = run({"eval", "runs/tones", "--stream"});
  INFO(table.out << table.err);
  REQUIRE(table.code == 0);
  CHECK(contains(table.out, "false alarms"));
  const Finished json = run({"eval", "runs/tones", "--stream", "--format", "json"});
  const auto said = nlohmann::json::parse(json.out);
  CHECK(said.at("form") == "frames");
  CHECK(said.at("clips_right_in_stream").get<int>() * 10 >= said.at("clips").get<int>() * 9);
  // Tones are easy: at the lowest threshold nearly all are heard.
  const auto& lowest = said.at("thresholds").front();
  CHECK(lowest.at("hits").get<int>() * 10 >= lowest.at("keywords").get<int>() * 9);
  CHECK(said.at("thresholds").back().at("hits") <= lowest.at("hits"));
  CHECK(run({"eval", "runs/tones", "--stream", "--format", "json"}).out == json.out);  // the same stream
  CHECK(run({"eval", "runs/tones", "--stream", "--stream-seed", "2", "--format", "json"}).out != json.out);
  const auto windows =
      nlohmann::json::parse(run({"eval", "runs/tones", "export.stream=window", "--stream", "--format", "json"}).out);
  CHECK(windows.at("form") == "window");
  CHECK(windows.at("answer_ms") == 200);
}
