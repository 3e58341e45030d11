// Training as a whole through the exported interface: learns, repeats itself bit for bit, goes on exactly after a stop.
#include <csignal>
#include <map>
#include <sstream>

#include "condenser/arch/blocks.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/train/backend.hpp"
#include "support/catch.hpp"
#include "train/temporary_folder.hpp"

extern "C" condenser::train::Backend* condenser_torch_backend(int abi);

namespace condenser::train {
namespace {

using core::Rng;

Backend& backend() {
  static const std::unique_ptr<Backend> instance(condenser_torch_backend(kBackendAbi));
  return *instance;
}

// 8x8 images: vertical stripes, horizontal stripes or none, and noise.
std::shared_ptr<const data::Dataset> stripes(int64_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<uint8_t> pixels;
  std::vector<int> labels;
  for (int64_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % 3);
    labels.push_back(label);
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 8; ++x) {
        const bool bright = label == 0 ? x % 2 == 0 : label == 1 && y % 2 == 0;
        pixels.push_back(static_cast<uint8_t>((bright ? 120 : 20) + rng.below(80)));
      }
  }
  return data::make_image_dataset({1, 8, 8}, {"vertical", "horizontal", "none"}, {{0.3}, {0.3}}, std::move(pixels),
                                  labels);
}

arch::Spec small_net() {
  arch::Builder b("small", {1, 8, 8});
  int x = arch::conv_bn_act(b, b.input(), "stem", {.out = 8});
  x = arch::column_stage(b, x, "s1", 1, {.channels = 8, .columns = 2, .stride = 2, .attention = true});
  arch::classifier_head(b, x, 3);
  return b.finish();
}

TrainOptions quick() {
  TrainOptions o;
  o.epochs = 4;
  o.batch_size = 16;
  o.lr = 0.1;
  o.warmup_epochs = 0.5;
  o.label_smoothing = 0.05;
  o.ema_decay = 0.9;
  o.augment = {.shift = 1, .flip = false, .cutout = 2};
  o.threads = 1;
  o.seed = 5;
  return o;
}

struct Run {
  const arch::Spec spec = small_net();
  std::shared_ptr<const data::Dataset> train = stripes(90, 1), validation = stripes(30, 2);
  TrainOptions options = quick();

  FitResult fit(const std::filesystem::path& folder, int64_t stop_at = -1) const {
    return backend().fit({.spec = spec,
                          .train = train,
                          .validation = validation,
                          .options = options,
                          .folder = folder,
                          .on_progress = [&](const Progress& p) {
                            if (p.step == stop_at) core::request_stop(SIGINT);
                          }});
  }
};

// metrics.csv without the columns that show the clock.
std::vector<std::string> metrics(const std::filesystem::path& folder) {
  std::istringstream file(core::read_file(folder / "metrics.csv"));
  std::vector<std::string> rows, head;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string kept;
    size_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column) {
      if (rows.empty()) head.push_back(cell);
      if (head[column] != "images_per_s" && head[column] != "seconds") kept += cell + ",";
    }
    rows.push_back(kept);
  }
  return rows;
}

struct ClearStop {
  ~ClearStop() { core::request_stop(0); }
};

}  // namespace

TEST_CASE("the exported function knows its version", "[train]") {
  CHECK(condenser_torch_backend(kBackendAbi + 1) == nullptr);
  CHECK(backend().version().find("LibTorch 2") == 0);
}

TEST_CASE("training learns a separable set", "[train]") {
  Run run;
  run.options.epochs = 12;
  run.options.optimizer = GENERATE(as<std::string>(), "sgd", "adamw");
  run.options.lr = run.options.optimizer == "sgd" ? 0.1 : 0.01;
  const FitResult result = run.fit({});
  REQUIRE(result.validation);
  CHECK(result.validation->total == 30);
  CHECK(result.validation->correct >= 29);
  CHECK(result.resumed_at_step == 0);

  const Evaluation again = backend().evaluate(run.spec, result.weights, *run.validation, 1);
  CHECK(again.correct == result.validation->correct);
  CHECK(again.loss == Approx(result.validation->loss));
  int64_t diagonal = 0, all = 0;
  for (size_t i = 0; i < 3; ++i)
    for (size_t k = 0; k < 3; ++k) diagonal += i == k ? again.confusion[i][k] : 0, all += again.confusion[i][k];
  CHECK(diagonal == again.correct);
  CHECK(all == again.total);
}

TEST_CASE("equal seeds give equal bits, other seeds others", "[train]") {
  Run run;
  run.options.epochs = 2;
  run.options.threads = GENERATE(1, 2);
  const FitResult first = run.fit({}), second = run.fit({});
  CHECK(first.weights == second.weights);
  CHECK(first.validation->loss == second.validation->loss);
  run.options.seed = 6;
  CHECK_FALSE(run.fit({}).weights == first.weights);
}

TEST_CASE("a stopped and resumed run equals an uninterrupted one", "[train]") {
  const ClearStop clear;
  Run run;
  run.options.optimizer = GENERATE(as<std::string>(), "sgd", "adamw");
  if (run.options.optimizer == "adamw") run.options.lr = 0.01;
  const testing::TemporaryFolder whole("whole"), parts("parts");
  const FitResult expected = run.fit(whole.path());

  for (const int64_t stop_at : {3, 10, 11}) {  // within an epoch, at the end of one (5 steps each), right after it
    CHECK_THROWS_AS(run.fit(parts.path(), stop_at), core::Stopped);
    core::request_stop(0);
  }
  run.options.loader_threads = 2;  // both may change
  run.options.checkpoint_steps = 4;
  const FitResult resumed = run.fit(parts.path());
  CHECK(resumed.resumed_at_step == 11);
  CHECK(resumed.weights == expected.weights);
  CHECK(resumed.validation->loss == expected.validation->loss);
  CHECK(metrics(parts.path()) == metrics(whole.path()));
  CHECK(metrics(parts.path()).size() == 5);  // the header and four epochs
  CHECK(std::filesystem::exists(parts.path() / "checkpoints" / "best.safetensors"));
  arch::check_weights(run.spec, arch::load_weights(parts.path() / "checkpoints" / "best.safetensors"));

  const FitResult complete = run.fit(parts.path());  // nothing left to do
  CHECK(complete.resumed_at_step == 20);
  CHECK(complete.weights == expected.weights);
  CHECK(complete.validation->correct == expected.validation->correct);
}

TEST_CASE("a checkpoint of other options or of another network is refused", "[train]") {
  Run run;
  run.options.epochs = 1;
  const testing::TemporaryFolder folder("refuse");
  run.fit(folder.path());
  Run other = run;
  other.options.lr = 0.2;
  CHECK_THROWS_AS(other.fit(folder.path()), core::ConfigError);
  CHECK_THROWS_WITH(other.fit(folder.path()), Catch::Contains("lr = 0.1"));
  Run more = run;
  more.train = stripes(93, 1);
  CHECK_THROWS_WITH(more.fit(folder.path()), Catch::Contains("training data (checksum)"));

  const auto file = folder.path() / "checkpoints" / "last.safetensors";
  const std::string bytes = core::read_file(file);
  core::write_atomic(file, std::string_view(bytes).substr(0, bytes.size() / 2));
  CHECK_THROWS_WITH(run.fit(folder.path()), Catch::Contains("last.safetensors") && Catch::Contains("remove"));
}

TEST_CASE("data that does not fit the network is refused", "[train]") {
  Run run;
  arch::Builder b("wide", {1, 9, 8});
  arch::classifier_head(b, b.input(), 3);
  const arch::Spec wide = b.finish();
  CHECK_THROWS_WITH(backend().fit({.spec = wide,
                                   .train = run.train,
                                   .validation = nullptr,
                                   .options = run.options,
                                   .folder = {},
                                   .on_progress = {}}),
                    Catch::Contains("1x9x8") && Catch::Contains("1x8x8"));
  arch::Builder c("four", {1, 8, 8});
  arch::classifier_head(c, c.input(), 4);
  const arch::Spec four = c.finish();
  CHECK_THROWS_WITH(backend().evaluate(four, arch::random_weights(four, 1), *run.validation, 1),
                    Catch::Contains("3 classes"));
}

TEST_CASE("a diverging run says so", "[train]") {
  Run run;
  run.options.lr = 100.0;
  run.options.warmup_epochs = 0;
  run.options.momentum = 0.99;
  run.options.weight_decay = 10.0;
  run.options.epochs = 40;
  CHECK_THROWS_WITH(run.fit({}), Catch::Contains("diverged"));
}

TEST_CASE("short training answers by the seed of its context", "[train]") {
  const ClearStop clear;
  Run run;
  run.options.epochs = 8;
  const auto probe = backend().make_short_train(run.train, run.validation, run.options);
  CHECK(probe->name() == "short_train");
  CHECK(probe->cost_seconds() > 0);
  const search::Candidate candidate{run.spec};
  search::Findings first, second, quarter;
  probe->ask(candidate, {.seed = 9, .fidelity = 1.0}, first);
  probe->ask(candidate, {.seed = 9, .fidelity = 1.0}, second);
  probe->ask(candidate, {.seed = 9, .fidelity = 0.125}, quarter);
  CHECK(first == second);
  CHECK(first.metrics.at("val_accuracy") > 60.0);
  CHECK(first.metrics.at("val_accuracy") <= 100.0);
  CHECK(first.metrics.at("val_loss") < quarter.metrics.at("val_loss"));
  core::request_stop(SIGINT);
  search::Findings none;
  CHECK_THROWS_AS(probe->ask(candidate, {.seed = 9, .fidelity = 1.0}, none), core::Stopped);
  CHECK(none == search::Findings{});
  core::request_stop(0);
  CHECK_THROWS_AS(backend().make_short_train(run.train, nullptr, run.options), core::ConfigError);
}

TEST_CASE("the exported forward checks its input", "[train]") {
  const arch::Spec spec = small_net();
  const auto weights = arch::random_weights(spec, 1);
  CHECK(backend().forward(spec, weights, std::vector<float>(128), 2).size() == 6);
  CHECK_THROWS_AS(backend().forward(spec, weights, std::vector<float>(127), 2), core::Error);
}

}  // namespace condenser::train
