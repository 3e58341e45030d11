// What a run keeps and what it makes anew, through the real binary on small folders of pictures: renamed classes,
// changed options, damaged and moved files.

#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "condenser/arch/weights.hpp"
#include "data/fixtures.hpp"
#include "pipeline/pipeline.hpp"

using Catch::Matchers::Contains;
using namespace condenser::tests;

namespace {

// Dark and bright pictures, with a run file for a network of one's own, and one for a search of three candidates.
struct Place {
  TempFolder folder;

  Place() {
    for (const auto& [split, count] : {std::pair{"train", 10}, std::pair{"test", 4}})
      for (int k = 0; k < count; ++k) {
        picture(std::string(split) + "/dark/" + std::to_string(k) + ".png", 10 * k);
        picture(std::string(split) + "/light/" + std::to_string(k) + ".png", 150 + 10 * k);
      }
    folder.write("net.yaml",
                 "condenser_spec: 1\nname: tiny\ninput: [1, 16, 16]\nnodes:\n"
                 "  - {name: stem, block: conv_bn_act, out: 8, kernel: 3, activation: relu}\n"
                 "  - {block: classifier_head, classes: 2}\n");
    const std::string common =
        "dataset: {folder: pictures, shape: [1, 16, 16]}\n"
        "train: {epochs: 2, batch_size: 4, lr: 0.05, threads: 1}\nverify: {samples: 4}\n";
    folder.write("own.yaml", "name: own\nspec: net.yaml\nstages: [train, quantize, export, report]\n" + common);
    folder.write("searched.yaml", "name: searched\nseed: 5\nspace: " CONDENSER_SOURCE_DIR
                                  "/search/spaces/columns_digits.yaml\n"
                                  "gate: {from: " CONDENSER_SOURCE_DIR
                                  "/search/budgets/mcu_32k.yaml}\n"
                                  "search: {generator: random, trials: 3}\n"
                                  "probe: {epochs: 1, batch_size: 4, threads: 1}\n"
                                  "stages: [search, train, quantize, export, report]\n" +
                                      common);
  }
  void picture(const std::string& name, int grey) const {
    folder.write("pictures/" + name,
                 condenser::data::testing::png_bytes(1, 16, 16, std::vector<uint8_t>(256, static_cast<uint8_t>(grey))));
  }
  fs::path own() const { return folder / "runs/own"; }
  fs::path searched() const { return folder / "runs/searched"; }

  Finished run(std::vector<std::string> arguments) const { return run_condenser(std::move(arguments), folder.path()); }
  void works(std::vector<std::string> arguments) const {
    const Finished f = run(std::move(arguments));
    INFO(f.err);
    REQUIRE(f.code == 0);
  }
  // The message of a call that ends with this code.
  std::string fails(int code, std::vector<std::string> arguments) const {
    const Finished f = run(std::move(arguments));
    INFO(f.out << f.err);
    CHECK(f.code == code);
    return f.err;
  }
};

}  // namespace

TEST_CASE("classes that were renamed after the training are refused with both lists; predict goes on", "[pipeline]") {
  const Place p;
  p.works({"run", "own.yaml"});
  const std::vector<std::string> predict{"predict", "runs/own", "pictures/test/dark/0.png", "--format", "csv"};
  const std::string model = slurp(p.own() / "export/c99/model.h");
  const std::string answer = p.run(predict).out;
  CHECK_THAT(answer, Contains("dark"));
  fs::rename(p.folder / "pictures/train/light", p.folder / "pictures/train/bright");
  fs::rename(p.folder / "pictures/test/light", p.folder / "pictures/test/bright");
  CHECK(p.run(predict).out == answer);
  for (const char* verb : {"run", "train", "eval", "quantize", "export", "report"})
    for (const char* subject : {"own.yaml", "runs/own"}) {
      INFO(verb << " " << subject);
      CHECK_THAT(p.fails(2, {verb, subject}),
                 Contains("dark, light") && Contains("bright, dark") && Contains("gone: light") && Contains("--fresh"));
    }
  CHECK(slurp(p.own() / "export/c99/model.h") == model);
  p.works({"run", "own.yaml", "--fresh"});
  CHECK_THAT(slurp(p.own() / "learned.json"), Contains("bright"));
}

TEST_CASE("a class more, other pictures, another shape: never used without a word", "[pipeline]") {
  const Place p;
  p.works({"run", "own.yaml"});
  p.picture("train/dark/more.png", 5);
  CHECK_THAT(p.fails(2, {"run", "own.yaml"}), Contains("data.train 20 files") && Contains("21 files"));
  fs::remove(p.folder / "pictures/train/dark/more.png");
  p.works({"run", "own.yaml"});
  const std::string picture = slurp(p.folder / "pictures/train/dark/1.png");
  p.picture("train/dark/1.png", 11);
  REQUIRE(slurp(p.folder / "pictures/train/dark/1.png").size() == picture.size());
  CHECK_THAT(p.fails(2, {"run", "own.yaml"}), Contains("data.train 20 files"));
  p.picture("train/dark/1.png", 10);
  p.works({"run", "own.yaml"});
  for (const char* split : {"train", "test"}) p.picture(std::string(split) + "/grey/1.png", 100);
  CHECK_THAT(p.fails(2, {"eval", "runs/own"}), Contains("new: grey"));
  CHECK_THAT(p.fails(2, {"run", "own.yaml", "dataset.shape=[1,8,8]"}), Contains("spec"));
}

TEST_CASE("weights that are taken as they are get int8 numbers without a training", "[pipeline]") {
  const Place p;
  p.works({"run", "own.yaml"});
  const std::string run = p.own().string();
  p.works({"run", "own.yaml", "name=taken", "spec=" + run + "/winner.arch.json", "train.init=" + run, "train.epochs=0",
           "stages=[train, quantize, export]", "train.on_validation=true", "quantize.auto=true"});
  const fs::path taken = p.own().parent_path() / "taken";
  CHECK_FALSE(fs::exists(taken / "checkpoints"));
  CHECK_FALSE(fs::exists(taken / "metrics.csv"));
  const auto load = [](const fs::path& folder) {
    return condenser::arch::load_weights(folder / "weights.safetensors").tensors;
  };
  const auto given = load(run), kept = load(taken);
  REQUIRE(kept.size() == given.size());
  for (const auto& [name, tensor] : given) CHECK(kept.at(name).data == tensor.data);
  const auto report = nlohmann::json::parse(slurp(taken / "quant_report.json"));
  CHECK(report.at("tried").size() >= 8);
  p.works({"quantize", taken.string(), "quantize.sensitivity=8"});
  int layers = 0;
  const auto tried = nlohmann::json::parse(slurp(taken / "quant_report.json"));
  for (const auto& node : tried.at("nodes")) {
    if (!node.contains("alone_in_int4")) continue;
    ++layers;
    CHECK(node.at("int4_saved_bytes").get<int64_t>() > 0);
    CHECK(node.at("int4_added_instructions").get<int64_t>() != 0);
  }
  CHECK(layers >= 2);
  const auto against = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"eval", taken.string(), "--against", run, "--format", "json"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished f = p.run(words);
    INFO(f.err);
    REQUIRE(f.code == 0);
    return nlohmann::json::parse(f.out);
  };
  const auto same = against({});
  CHECK(same.at("only_first_right") == 0);
  CHECK(same.at("only_second_right") == 0);
  CHECK(same.at("mcnemar_p") == 1);
  // Pictures of one shade are the same wherever they move.
  const Finished moved = p.run({"eval", run, "--shift", "1", "--format", "json"});
  REQUIRE(moved.code == 0);
  const auto shifts = nlohmann::json::parse(moved.out);
  CHECK(shifts.at("shifts").size() == 8);
  CHECK(shifts.at("consistency_percent") == 100);
  CHECK_THAT(p.fails(2, {"eval", run, "--against", run, "--shift", "1"}), Contains("expected one of them"));
  const auto int8 = against({"--int8"});
  CHECK(int8.at("form") == "int8");
  CHECK(int8.at("items") == 8);
  CHECK(int8.at("both_right").get<int>() + int8.at("only_first_right").get<int>() ==
        std::lround(int8.at("first").at("accuracy_percent").get<double>() / 100 * 8));
  fs::copy(p.folder / "pictures", p.folder / "others", fs::copy_options::recursive);
  fs::rename(p.folder / "others/test/dark/0.png", p.folder / "others/test/dark/9.png");
  p.works({"train", "own.yaml", "name=other", "dataset.folder=others"});
  CHECK_THAT(p.fails(2, {"eval", run, "--against", "runs/other"}), Contains("hold other items"));
  const Finished refused = p.run({"run", "own.yaml", "name=none", "train.epochs=0"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("train.epochs = 0; expected 1 or more, or weights that are taken as they are"));
}

TEST_CASE("a run folder works wherever it is copied to and from any working directory", "[pipeline]") {
  const Place p;
  p.works({"run", "own.yaml"});
  const TempFolder there;
  fs::copy(p.own(), there / "copied", fs::copy_options::recursive);
  there.write("pictures/train/other/1.png", "no picture");  // of the same name, in the working directory
  const Finished eval = run_condenser({"eval", "copied", "--format", "json"}, there.path());
  INFO(eval.err);
  CHECK(eval.code == 0);
  CHECK_THAT(eval.out, Contains("\"dark\""));
  fs::rename(p.folder / "pictures", p.folder / "gone");
  fs::rename(p.folder / "net.yaml", p.folder / "gone.yaml");
  const std::string file = (p.folder / "gone/test/light/1.png").string();
  const Finished predict = run_condenser({"predict", "copied", file}, there.path());
  INFO(predict.err);
  CHECK(predict.code == 0);
  CHECK_THAT(predict.out, Contains("light"));
  CHECK(run_condenser({"report", "copied"}, there.path()).code == 0);
  CHECK(run_condenser({"describe", "copied"}, there.path()).code == 0);
  const Finished quantize = run_condenser({"quantize", "copied"}, there.path());
  CHECK(quantize.code == 1);
  CHECK_THAT(quantize.err, Contains((p.folder / "pictures").string()));  // where the data were
}

TEST_CASE("changed options redo the stages that they concern and no others, and say so", "[pipeline]") {
  const Place p;
  p.works({"run", "searched.yaml"});
  const std::string study = slurp(p.searched() / "winner.json"), weights = slurp(p.searched() / "weights.safetensors");

  const std::string longer = p.run({"run", "searched.yaml", "train.epochs=3"}).err;
  CHECK_THAT(longer, Contains("train.epochs 2 -> 3 changed: train, quantize, export and report are made anew; the "
                              "search is kept"));
  CHECK(slurp(p.searched() / "winner.json") == study);
  CHECK(slurp(p.searched() / "earlier/1/weights.safetensors") == weights);
  CHECK(slurp(p.searched() / "weights.safetensors") != weights);
  const std::string again = p.run({"run", "searched.yaml", "train.epochs=3"}).err;
  CHECK_THAT(again, !Contains("anew"));
  CHECK(!fs::exists(p.searched() / "earlier/2"));

  const Finished int8 = p.run({"quantize", "runs/searched", "quantize.observer=mse"});
  CHECK_THAT(int8.err, Contains("quantize.observer percentile -> mse changed: quantize is made anew; what export and "
                                "report left belongs to the earlier options; the search is kept"));
  CHECK_THAT(p.fails(1, {"verify", "runs/searched"}), Contains("run `condenser export` again"));
  CHECK_THAT(p.fails(2, {"export", "runs/searched", "quantize.observer=min_max"}),
             Contains("quantize.observer mse -> min_max") && Contains("condenser quantize"));
  p.works({"export", "runs/searched", "export.prefix=mine"});
  CHECK(fs::exists(p.searched() / "export/c99/mine.h"));
  CHECK_THAT(p.fails(2, {"eval", "runs/searched", "train.lr=0.01"}), Contains("train.lr 0.05 -> 0.01"));

  // What changes no result is no reason for anything.
  const Finished same =
      p.run({"run", "runs/searched", "train.threads=2", "train.checkpoint_steps=3", "probe.loader_threads=2",
             "dataset.cache_folder=elsewhere", "search.max_proposals=999", "search.evolution.population=5"});
  INFO(same.err);
  CHECK(same.code == 0);
  CHECK_THAT(same.err, !Contains("anew"));
}

TEST_CASE("another test part redoes what is measured and shipped, not the training", "[pipeline]") {
  const Place p;
  p.works({"run", "own.yaml"});
  const std::string weights = slurp(p.own() / "weights.safetensors"), report = slurp(p.own() / "quant_report.json");
  CHECK_THAT(report, Contains("\"macro_f1_percent\"") && Contains("\"total\": 8"));
  p.picture("test/light/more.png", 240);
  CHECK_THAT(p.fails(2, {"verify", "runs/own"}), Contains("data.test") && Contains("condenser quantize"));
  const Finished again = p.run({"run", "own.yaml"});
  INFO(again.err);
  CHECK(again.code == 0);
  CHECK_THAT(again.err, Contains("data.test ") && Contains("changed: quantize, export and report are made anew"));
  CHECK(slurp(p.own() / "weights.safetensors") == weights);
  CHECK_THAT(slurp(p.own() / "quant_report.json"), Contains("\"total\": 9"));
  CHECK_THAT(p.run({"run", "own.yaml"}).err, !Contains("anew"));
}

TEST_CASE("another gate, space or seed of a search is refused by name; more trials extend it", "[pipeline]") {
  const Place p;
  p.works({"run", "searched.yaml", "stages=[search]"});
  const std::string refused = p.fails(2, {"run", "searched.yaml", "gate.max_params=50000", "search.seed=6"});
  CHECK_THAT(refused, Contains("gate.max_params 0 -> 50000") && Contains("search.seed 5 -> 6") && Contains("--fresh"));
  CHECK_THAT(p.fails(2, {"train", "searched.yaml", "probe.epochs=2"}), Contains("probe.epochs 1 -> 2"));
  CHECK_THAT(p.fails(2, {"search", "searched.yaml", "search.trials=2"}), Contains("search.trials 3 -> 2"));
  CHECK_THAT(p.fails(2, {"search", "searched.yaml", "spec=net.yaml"}), Contains("spec"));
  const Finished more = p.run({"search", "searched.yaml", "search.trials=4"});
  INFO(more.err);
  CHECK(more.code == 0);
  CHECK_THAT(more.err, Contains("going on after"));
  fs::remove(p.searched() / "winner.json");  // as a kill leaves it: the study itself knows
  CHECK_THAT(p.fails(2, {"search", "searched.yaml", "search.trials=4", "gate.max_params=50000"}),
             Contains("gate.max_params: 0") && Contains("gate.max_params: 50000"));
}

TEST_CASE("what is noticed about the data stands in the report, and stays there", "[pipeline]") {
  const Place p;
  for (int k = 0; k < 10; ++k) p.picture("train/dark/copy" + std::to_string(k) + ".png", 10 * k);
  p.folder.write("pictures/train/light/notes.doc", "no picture");
  p.works({"run", "own.yaml"});
  const std::string kept = slurp(p.own() / "data.json");
  CHECK_THAT(kept, Contains("\"unused\"") && Contains("notes.doc") && Contains("\"duplicate_between\""));
  for (const char* file : {"report.md", "report.html", "summary.json"}) {
    INFO(file);
    CHECK_THAT(slurp(p.own() / file),
               Contains("8 items of the test part lie in the training part too") && Contains("notes.doc"));
  }
  CHECK_THAT(slurp(p.own() / "summary.json"), Contains("data_duplicate_between") && Contains("data_unused"));
  const std::string judged = slurp(p.own() / "validation/predictions.csv");
  CHECK_THAT(judged, Contains("/dark/"));
  for (int k = 0; k < 10; ++k) {  // a picture and its copy are in the same part
    const std::string name = std::to_string(k) + ".png,";
    CHECK((judged.find("/dark/" + name) == judged.npos) == (judged.find("/dark/copy" + name) == judged.npos));
  }
  p.works({"report", "runs/own"});
  p.works({"run", "own.yaml"});
  CHECK(slurp(p.own() / "data.json") == kept);
  CHECK_THAT(slurp(p.own() / "summary.json"), Contains("data_duplicate_between"));
  std::ofstream(p.own() / "data.json") << "{";
  p.works({"run", "own.yaml"});
  CHECK_THAT(slurp(p.own() / "data.json"), Contains("\"unused\""));
}

TEST_CASE("damaged small files of a run are made anew where their stage is", "[pipeline]") {
  const Place p;
  p.works({"run", "searched.yaml"});
  for (const char* name : {"train.json", "winner.json", "env.json", "quant_report.json", "status.json", "learned.json",
                           "export.json", "summary.json", "validation/evaluation.json", "config.resolved.yaml"}) {
    const fs::path file = p.searched() / name;
    const std::string whole = slurp(file);
    for (const std::string& damaged : {whole.substr(0, whole.size() / 2), std::string("{}"), std::string("\0\0", 2)}) {
      std::ofstream(file, std::ios::binary) << damaged;
      const Finished f = p.run({"run", "searched.yaml"});
      INFO(name << ": " << damaged << f.err);
      CHECK(f.code == 0);
      const bool with_clock = std::string(name) == "env.json" || std::string(name) == "status.json";
      CHECK((with_clock ? slurp(file).size() > 50 : slurp(file) == whole));
    }
  }
  std::ofstream(p.searched() / "learned.json") << "{";
  CHECK_THAT(p.fails(1, {"predict", "runs/searched", "pictures/test/dark/1.png"}),
             Contains("learned.json") && Contains("`condenser train`"));
}

TEST_CASE("mistakes leave no folder behind and do not block the corrected command", "[pipeline]") {
  const Place p;
  const auto nothing_left = [&](const std::vector<std::string>& more, int code) {
    std::vector<std::string> arguments{"train", "own.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    INFO(more[0]);
    const std::string message = p.fails(code, arguments);
    CHECK(!fs::exists(p.own()));
    return message;
  };
  CHECK_THAT(nothing_left({"epochs=3"}, 2), Contains("train.epochs"));
  CHECK_THAT(nothing_left({"epoch=3"}, 2), Contains("train.epochs"));
  CHECK_THAT(nothing_left({"spec=resnet9"}, 2), Contains("resnet8"));
  CHECK_THAT(nothing_left({"dataset.shape=[3,16,16]"}, 2), Contains("3x16x16") && Contains("1x16x16"));
  CHECK_THAT(nothing_left({"train.init=nowhere"}, 2), Contains("nowhere"));
  CHECK_THAT(nothing_left({"dataset.folder=nowhere"}, 2), Contains("nowhere"));
  CHECK_THAT(p.fails(1, {"quantize", "own.yaml"}), Contains("condenser train") && !Contains("learned.json"));
  CHECK_THAT(p.fails(1, {"eval", "own.yaml"}), Contains("condenser train"));
  CHECK_THAT(p.fails(3, {"run", "own.yaml", "stages=[search, train]", "gate.max_params=10"}), Contains("max_params"));
  CHECK(!fs::exists(p.own()));
  p.works({"train", "own.yaml"});
}

TEST_CASE("--fresh finds a name for the old run however often it is asked in a second", "[pipeline]") {
  const Place p;
  for (int k = 0; k < 4; ++k) p.works({"train", "own.yaml", "train.epochs=1", "--fresh"});
  CHECK(std::distance(fs::directory_iterator(p.folder / "runs"), fs::directory_iterator()) == 4);
}

TEST_CASE("a run folder that is moved while it is in use is not made anew at its old place", "[pipeline]") {
  const Place p;
  Process process({CONDENSER_BINARY, "train", "own.yaml", "train.epochs=100000"}, p.folder.path());
  while (process.running() && !fs::exists(p.own() / "checkpoints/last.safetensors"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  fs::rename(p.own(), p.folder / "moved");
  const Finished f = process.wait();
  INFO(f.err);
  CHECK(f.code == 1);
  CHECK_THAT(f.err, Contains("moved or removed"));
  CHECK(!fs::exists(p.own()));
  CHECK(fs::exists(p.folder / "moved/checkpoints/last.safetensors"));
}
