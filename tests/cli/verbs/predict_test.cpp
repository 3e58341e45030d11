// `condenser predict` on a run folder made by hand: probabilities are those of the executors, damaged files do not
// spoil the others.

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/records/records.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/files.hpp"
#include "condenser/data/load_item.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "data/fixtures.hpp"
#include "support/catch.hpp"
#include "support/lively.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using tests::Finished;

namespace {

constexpr const char* kNet =
    "condenser_spec: 1\nname: mine\ninput: [1, 8, 8]\nnodes:\n"
    "  - {name: stem, block: conv_bn_act, out: 8, stride: 2}\n"
    "  - {name: head, block: classifier_head, classes: 3}\n";

// A trained and quantized run on a folder of pictures.
struct TrainedRun {
  tests::TempFolder folder;
  arch::Spec spec;
  arch::Weights weights;
  data::Card card;
  cli::Learned learned{.data = "pictures",
                       .format = "image_folder",
                       .classes = {"a", "b", "c"},
                       .shape = {1, 8, 8},
                       .mean = {0.5},
                       .std = {0.25},
                       .settings = {{"train.epochs", "3"}}};

  TrainedRun() {
    for (const char* split : {"train", "test"})
      for (int c = 0; c < 3; ++c) {
        const auto file = std::string(split) + "/" + "abc"[c] + "/1.png";
        core::write_atomic(folder / "pictures" / file, data::testing::png_bytes(1, 8, 8, picture(c)));
      }
    core::write_atomic(folder / "net.yaml", kNet);
    core::write_atomic(folder / "runs/mine/config.resolved.yaml",
                       "name: mine\nspec: " + (folder / "net.yaml").string() +
                           "\ndataset: {folder: " + (folder / "pictures").string() + ", shape: [1, 8, 8]}\n");
    spec = arch::read_spec(folder / "net.yaml");
    weights = testing::lively_weights(spec, 7);
    weights.metadata["spec_hash"] = arch::hash(spec).hex();
    weights.metadata["key"] = cli::key_of(learned.settings);
    arch::save_weights(folder / "runs/mine/weights.safetensors", weights);
    arch::write_spec(folder / "runs/mine/winner.arch.json", spec);
    learned.spec_hash = arch::hash(spec).hex();
    cli::write_record(folder / "runs/mine", learned);
    card.file = card.root = folder / "pictures";
    card.format = "image_folder";
    card.shape = {1, 8, 8};
    card.classes = {"a", "b", "c"};
    card.normalization = {{0.5}, {0.25}};
    card.splits["train"] = {{"train", ""}};
  }

  static std::vector<uint8_t> picture(int c) {
    std::vector<uint8_t> pixels;
    for (int k = 0; k < 64; ++k) pixels.push_back(static_cast<uint8_t>(k * (c + 2) * 3));
    return pixels;
  }

  std::vector<float> item(int c) const {
    return data::load_item(card, folder / "pictures/test" / std::string(1, "abc"[c]) / "1.png");
  }

  Finished predict(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"predict", "runs/mine"});
    return tests::run_condenser(arguments, folder.path());
  }
};

std::vector<double> softmax(const std::vector<float>& logits) {
  double sum = 0;
  std::vector<double> p;
  for (const float x : logits) sum += std::exp(static_cast<double>(x));
  for (const float x : logits) p.push_back(std::exp(static_cast<double>(x)) / sum);
  return p;
}

void check_answer(const json& answer, const std::vector<double>& expected) {
  REQUIRE(answer["top"].size() == expected.size());
  double before = 1;
  for (const auto& guess : answer["top"]) {
    const size_t k = static_cast<size_t>(guess["class"].get<std::string>()[0] - 'a');
    CHECK(guess["probability"].get<double>() == Approx(expected[k]).margin(1e-5));
    CHECK(guess["probability"].get<double>() <= before);
    before = guess["probability"];
  }
}

}  // namespace

TEST_CASE("predict gives the float executor's probabilities, the likeliest first", "[cli]") {
  const TrainedRun run;
  const Finished f = run.predict({"pictures/test/a/1.png", "pictures/test/c/1.png", "--format", "json"});
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK(f.err.empty());
  const json answers = json::parse(f.out);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1]["file"] == "pictures/test/c/1.png");
  const runtime::FloatExecutor executor(run.spec, run.weights);
  check_answer(answers[0], softmax(executor.run(run.item(0), 1)));
  check_answer(answers[1], softmax(executor.run(run.item(2), 1)));
  CHECK(json::parse(run.predict({"pictures/test/a/1.png", "--top", "1", "--format", "json"}).out)[0]["top"].size() ==
        1);
  CHECK(json::parse(run.predict({"pictures/test/a/1.png", "--top", "99", "--format", "json"}).out)[0]["top"].size() ==
        3);
}

TEST_CASE("predict decides on each class where an item may have several", "[cli]") {
  TrainedRun run;
  run.learned.several_classes = run.learned.independent_classes = true;
  cli::write_record(run.folder / "runs/mine", run.learned);
  const Finished f = run.predict({"pictures/test/a/1.png", "--format", "json"});
  INFO(f.err);
  CHECK(f.code == 0);
  const json answer = json::parse(f.out)[0];
  std::vector<double> expected;
  std::set<std::string> likely;
  for (const float z : runtime::FloatExecutor(run.spec, run.weights).run(run.item(0), 1)) {
    if (z > 0) likely.insert(std::string(1, static_cast<char>('a' + expected.size())));
    expected.push_back(1 / (1 + std::exp(-static_cast<double>(z))));
  }
  check_answer(answer, expected);
  CHECK(answer["classes"].get<std::set<std::string>>() == likely);
  CHECK_THAT(run.predict({"pictures/test/a/1.png"}).out, Contains("classes") && Contains("likeliest"));
}

TEST_CASE("predict --int8 answers with the device's integers", "[cli]") {
  TrainedRun run;
  CHECK_THAT(run.predict({"pictures/test/a/1.png", "--int8"}).err, Contains("condenser quantize"));
  arch::Weights folded = run.weights;
  const arch::Spec lowered = arch::lower(run.spec, &folded);
  quant::Quantized q = quant::quantize(arch::design_of(run.spec), folded, *data::open_split(run.card, "train"), {});
  q.weights.metadata["spec_hash"] = arch::hash(run.spec).hex();
  q.weights.metadata["training"] = "of other options";
  q.quant.weights_checksum = arch::save_weights(run.folder / "runs/mine/weights_int8.safetensors", q.weights);
  core::write_atomic(run.folder / "runs/mine/quant.json", runtime::to_json(q.quant));
  CHECK_THAT(run.predict({"pictures/test/a/1.png", "--int8"}).err, Contains("run `condenser quantize` again"));
  q.weights.metadata["training"] = cli::key_of(run.learned.settings);
  q.quant.weights_checksum = arch::save_weights(run.folder / "runs/mine/weights_int8.safetensors", q.weights);
  core::write_atomic(run.folder / "runs/mine/quant.json", runtime::to_json(q.quant));

  const Finished f = run.predict({"pictures/test/b/1.png", "--int8", "--format", "json"});
  INFO(f.err);
  CHECK(f.code == 0);
  runtime::Int8Executor executor(runtime::build_program(lowered, q.weights, q.quant));
  std::vector<int8_t> input(64);
  executor.quantize_input(run.item(1), input);
  std::vector<float> logits;
  const auto scale = executor.program().output_quant();
  for (const int8_t v : executor.run(input)) logits.push_back(static_cast<float>(scale.scale * (v - scale.zero_point)));
  check_answer(json::parse(f.out)[0], softmax(logits));
}

TEST_CASE("files that cannot be read are named, the others answered, and the exit code says so", "[cli]") {
  const TrainedRun run;
  core::write_atomic(run.folder / "cut.png", core::read_file(run.folder / "pictures/test/a/1.png").substr(0, 40));
  core::write_atomic(run.folder / "text.jpg", "no picture");
  const std::vector<std::string> files{"missing.png", "cut.png", "pictures/test/a/1.png", "text.jpg", "pictures"};
  for (const std::string format : {"text", "json", "csv", "markdown"}) {
    std::vector<std::string> arguments = files;
    arguments.insert(arguments.end(), {"--format", format});
    const Finished f = run.predict(arguments);
    INFO(f.err);
    CHECK(f.code == 1);
    for (const char* bad : {"missing.png", "cut.png", "text.jpg", "pictures: "}) CHECK_THAT(f.err, Contains(bad));
    CHECK_THAT(f.out, Contains("pictures/test/a/1.png"));
    if (format == "json") {
      const json answers = json::parse(f.out);
      REQUIRE(answers.size() == 5);
      CHECK(answers[0]["top"].empty());
      CHECK_THAT(answers[0]["error"].get<std::string>(), Contains("missing.png"));
      CHECK(answers[2]["error"].is_null());
    }
  }
}

TEST_CASE("nonsense about the run is a word, not a crash", "[cli]") {
  TrainedRun run;
  CHECK(run.predict({}).code == 2);
  CHECK(run.predict({"x.png", "--top", "0"}).code == 2);
  const auto says = [&](const std::string& what) {
    const Finished f = run.predict({"pictures/test/a/1.png"});
    INFO(f.err);
    CHECK(f.code != 0);
    CHECK(f.out.empty());
    CHECK(std::count(f.err.begin(), f.err.end(), '\n') == 1);
    CHECK_THAT(f.err, Contains(what));
  };
  const auto weights = run.folder / "runs/mine/weights.safetensors";
  core::write_atomic(weights, "garbage");
  says("weights.safetensors");
  arch::Weights other = run.weights;
  other.metadata["spec_hash"] = "0123";
  arch::save_weights(weights, other);
  says("belongs to network 0123");
  std::filesystem::remove(weights);
  says("run `condenser train` first");
  CHECK_THAT(tests::run_condenser({"predict", "nowhere", "x.png"}, run.folder.path()).err, Contains("nowhere"));
}

TEST_CASE("predict needs the run folder alone, wherever it is and whatever became of the data", "[cli]") {
  const TrainedRun run;
  const std::string before = run.predict({"pictures/test/b/1.png"}).out;
  CHECK_THAT(before, Contains("pictures/test/b/1.png"));
  const tests::TempFolder elsewhere;
  std::filesystem::rename(run.folder / "runs/mine", elsewhere / "copied");
  core::write_atomic(elsewhere / "pictures/test/b/1.png", core::read_file(run.folder / "pictures/test/b/1.png"));
  std::filesystem::remove_all(run.folder / "pictures");
  std::filesystem::remove(run.folder / "net.yaml");
  const Finished f = tests::run_condenser({"predict", "copied", "pictures/test/b/1.png"}, elsewhere.path());
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK(f.err.empty());
  CHECK(f.out == before);
}

TEST_CASE("names of classes are those of the training, not of the folders that are there now", "[cli]") {
  const TrainedRun run;
  const std::string before = run.predict({"pictures/test/b/1.png", "--format", "csv"}).out;
  std::filesystem::rename(run.folder / "pictures/train/a", run.folder / "pictures/train/z");
  core::write_atomic(run.folder / "pictures/train/d/1.png", "x");
  CHECK(run.predict({"pictures/test/b/1.png", "--format", "csv"}).out == before);
}

TEST_CASE("a run of an earlier version answers by the data as they are, with a word", "[cli]") {
  const TrainedRun run;
  const std::string before = run.predict({"pictures/test/b/1.png"}).out;
  std::filesystem::remove(run.folder / "runs/mine/learned.json");
  const Finished f = run.predict({"pictures/test/b/1.png"});
  CHECK(f.code == 0);
  CHECK(f.out == before);
  CHECK_THAT(f.err, Contains("learned.json is missing") && Contains("as they are now"));
}

TEST_CASE("weights of another training than the folder's are refused", "[cli]") {
  TrainedRun run;
  run.learned.settings["train.epochs"] = "4";  // as when a training with other options has begun
  cli::write_record(run.folder / "runs/mine", run.learned);
  const Finished f = run.predict({"pictures/test/b/1.png"});
  CHECK(f.code == 1);
  CHECK_THAT(f.err, Contains("weights.safetensors") && Contains("run `condenser train` again"));
}
