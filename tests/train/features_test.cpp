// What options of the trainer do to a whole training.
#include <atomic>
#include <new>

#include "condenser/arch/spec_io.hpp"
#include "support/catch.hpp"
#include "train/files/checkpoint.hpp"
#include "train/marked_dataset.hpp"
#include "train/quick_run.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

using Run = testing::QuickRun;
using testing::metrics;
using testing::small_net;
using testing::stripes;
namespace fs = std::filesystem;

// No batch norm: a step does not depend on how its batch is divided.
arch::Spec plain_net() {
  arch::Builder b("plain", {1, 8, 8});
  const int conv = b.add("conv", arch::Conv2d{.out = 6, .kernel = {3, 3}, .pad = arch::pad_all(1), .bias = true}, {0});
  arch::classifier_head(b, b.add("act", arch::Activation{}, {conv}), 3);
  return b.finish();
}

// Goes wrong from a certain number of reads on.
class Spoiled : public data::Dataset {
 public:
  Spoiled(std::shared_ptr<const data::Dataset> base, int64_t good_reads, std::function<void(std::span<float>)> spoil)
      : base_(std::move(base)), good_reads_(good_reads), spoil_(std::move(spoil)) {}
  int64_t size() const override { return base_->size(); }
  data::ItemShape shape() const override { return base_->shape(); }
  const std::vector<std::string>& classes() const override { return base_->classes(); }
  const data::Normalization& normalization() const override { return base_->normalization(); }
  int label(int64_t i) const override { return base_->label(i); }
  void get(int64_t i, std::span<float> out) const override {
    base_->get(i, out);
    if (reads_++ >= good_reads_) spoil_(out);
  }

 private:
  std::shared_ptr<const data::Dataset> base_;
  int64_t good_reads_;
  std::function<void(std::span<float>)> spoil_;
  mutable std::atomic<int64_t> reads_ = 0;
};

double largest_difference(const arch::Weights& a, const arch::Weights& b) {
  double worst = 0;
  for (const auto& [name, tensor] : a.tensors)
    for (size_t i = 0; i < tensor.f32().size(); ++i)
      worst = std::max(worst, std::abs(double(tensor.f32()[i]) - b.at(name).f32()[i]));
  return worst;
}

}  // namespace

TEST_CASE("two batches of 32 make the step of one of 64", "[train]") {
  Run run;
  run.spec = plain_net();
  run.train = stripes(256, 1);
  run.options.optimizer = "sgd", run.options.clip_grad = 0.5;
  run.options.batch_size = 64;
  const FitResult whole = run.fit();
  run.options.batch_size = 32, run.options.accumulate = 2;
  const FitResult parts = run.fit();
  CHECK(largest_difference(whole.weights, parts.weights) < 2e-6);
  run.options.accumulate = 1;
  CHECK(largest_difference(whole.weights, run.fit().weights) > 1e-3);
}

TEST_CASE("every optimizer and schedule learns", "[train]") {
  Run run;
  run.options.epochs = 24;
  const auto [optimizer, lr] = GENERATE(
      table<std::string, double>({{"sgd", 0.1}, {"sgdw", 0.1}, {"adamw", 0.01}, {"lion", 0.005}, {"muon", 0.02}}));
  run.options.optimizer = optimizer, run.options.lr = lr;
  run.options.schedule = optimizer == "sgd" ? "one_cycle" : optimizer == "lion" ? "linear" : "cosine";
  INFO(optimizer);
  CHECK(run.fit().validation->correct >= 28);
}

TEST_CASE("training ends when patience does, and keeps the best", "[train]") {
  const testing::TemporaryFolder folder("patience");
  Run run;
  run.options.epochs = 40, run.options.schedule = "constant", run.options.ema_decay = 0;
  run.options.patience = 2, run.options.metric = "loss", run.options.keep = "best";
  const FitResult result = run.fit(folder.path());
  const size_t epochs = metrics(folder.path()).size() - 1;
  CHECK(epochs < 40);
  const auto last = load_checkpoint(folder.path() / "checkpoints/last.safetensors", nn::block_layout(run.spec), {});
  CHECK(static_cast<size_t>(last.run.best_epoch) == epochs - 2);
  CHECK(-result.validation->loss == last.run.best_score);
  const arch::Weights best = arch::load_weights(folder.path() / "checkpoints/best.safetensors");
  CHECK(result.weights.tensors == best.tensors);
  CHECK(run.fit(folder.path()).weights == result.weights);  // complete: the same again

  run.options.keep = "last";
  const FitResult other = run.fit();
  CHECK_FALSE(other.weights.tensors == best.tensors);
  CHECK(-other.validation->loss < last.run.best_score);
  run.validation = nullptr;
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("validation"));
}

TEST_CASE("skewed data: weights and sampling both reach the training", "[train]") {
  Run run;
  run.train = stripes(90, 1, 4);
  run.options.epochs = 2;
  const FitResult none = run.fit();
  run.options.balance = "weights";
  const FitResult weights = run.fit();
  run.options.balance = "none", run.options.class_weights = {0.5, 2, 2};
  const FitResult given = run.fit();
  run.options.class_weights.clear(), run.options.balance = "sampling";
  const FitResult sampling = run.fit();
  CHECK_FALSE(none.weights == weights.weights);
  CHECK(largest_difference(weights.weights, given.weights) < 1e-3);  // 90 = 60 + 15 + 15: the weights 0.5, 2, 2
  CHECK_FALSE(none.weights == sampling.weights);
}

TEST_CASE("several classes per item are learned with a binary loss", "[train]") {
  // Class 0: bright columns, class 1: bright rows, in any combination.
  core::Rng rng(3);
  const auto crossed = [&](int64_t count) {
    std::vector<std::vector<int>> marks;
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) {
      marks.push_back({static_cast<int>(i % 2), static_cast<int>(i / 2 % 2)});
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x)
          values.push_back(
              static_cast<float>(marks.back()[0] * (x % 2) + marks.back()[1] * (y % 2) + 0.3 * rng.normal()));
    }
    return std::make_shared<testing::MarkedDataset>(data::ItemShape{1, 8, 8}, 2, marks, values);
  };
  const testing::TemporaryFolder folder("several");
  Run run;
  run.spec = small_net(8, 2);
  run.train = crossed(128), run.validation = crossed(40);
  run.options.epochs = 25, run.options.augment.cutout = 0, run.options.augment.shift = 0;
  run.options.optimizer = "adamw", run.options.lr = 0.02;
  run.options.metric = "macro_f1", run.options.keep = "best";
  const FitResult result = run.fit(folder.path());
  CHECK(result.validation->macro_f1 > 95);
  CHECK(result.validation->auc > 98);
  CHECK(result.validation->correct > 36);
  CHECK(result.validation->confusion.empty());
  CHECK(metrics(folder.path())[0].find("val/macro_f1") != std::string::npos);
  run.options.loss = "cross_entropy";
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("binary"));
}

TEST_CASE("a student learns from its teacher what the labels do not say", "[train]") {
  const testing::TemporaryFolder folder("distill");
  Run run;
  run.options.epochs = 12;
  arch::save_weights(folder.path() / "weights.safetensors", run.fit().weights);
  arch::write_spec(folder.path() / "winner.arch.json", run.spec);

  Run student = run;
  std::vector<float> pixels(64);
  std::vector<uint8_t> bytes;
  for (int64_t i = 0; i < run.train->size(); ++i) {
    run.train->get(i, pixels);
    for (const float p : pixels) bytes.push_back(static_cast<uint8_t>(std::lround(255 * (p * 0.3 + 0.3))));
  }
  student.train = data::make_image_dataset({1, 8, 8}, run.train->classes(), {{0.3}, {0.3}}, bytes,
                                           std::vector<int>(static_cast<size_t>(run.train->size()), 0));
  student.options.distill.teacher = folder.path(), student.options.distill.alpha = 1;
  student.options.epochs = 24, student.options.optimizer = "adamw", student.options.lr = 0.02;
  student.options.augment.shift = 0, student.options.augment.cutout = 0;
  CHECK(student.fit().validation->correct >= 28);
  student.options.distill = {};
  CHECK(student.fit().validation->correct < 20);
}

TEST_CASE("fine-tuning: the frozen body stays bit for bit, the new head learns", "[train]") {
  const testing::TemporaryFolder folder("tune");
  Run run;
  run.options.epochs = 12;
  const FitResult first = run.fit();
  arch::save_weights(folder.path() / "weights.safetensors", first.weights);
  Run tuned;
  tuned.options.init = folder.path();
  tuned.options.freeze = {"stem", "s1"};
  const FitResult result = tuned.fit();
  for (const auto& [name, tensor] : result.weights.tensors)
    if (name.starts_with("stem") || name.starts_with("s1")) CHECK(tensor == first.weights.at(name));
  CHECK_FALSE(result.weights.at("fc.weight") == first.weights.at("fc.weight"));
  CHECK(result.validation->correct >= 28);

  tuned.spec = small_net(8, 4);  // another head
  tuned.options.epochs = 1;
  tuned.train = data::make_image_dataset({1, 8, 8}, {"a", "b", "c", "d"}, {{0.3}, {0.3}}, std::vector<uint8_t>(64 * 16),
                                         std::vector<int>(16, 3));
  tuned.validation = nullptr;
  CHECK(tuned.fit().weights.at("stem.weight") == first.weights.at("stem.weight"));
  tuned.spec = small_net(10, 4);
  CHECK_THROWS_WITH(tuned.fit(), Catch::Contains("stem.weight [8, 1, 3, 3]"));
}

TEST_CASE("early epochs see smaller pictures", "[train]") {
  Run run;
  run.options.epochs = 2;
  const FitResult whole = run.fit();
  run.options.resize = {.sizes = {4}, .epochs = 1};
  const FitResult small = run.fit();
  CHECK_FALSE(small.weights == whole.weights);
  CHECK(small.validation->total == 30);
  run.options.resize.sizes = {16};
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("resize"));
}

TEST_CASE("a number that is not finite is traced to its origin, the checkpoint from before stays", "[train]") {
  const testing::TemporaryFolder folder("nan");
  Run run;
  const auto good = run.train;
  // Two reads for the checksum and 80 an epoch (5 batches of 16): the third epoch is spoiled, or the loader's batches
  // ahead of it.
  run.train = std::make_shared<Spoiled>(good, 90 + 2 * 80, [](std::span<float> x) { x[5] = std::nanf(""); });
  CHECK_THROWS_WITH(run.fit(folder.path()),
                    Catch::Contains("the input is not finite") && Catch::Contains("last.safetensors holds step"));
  const auto last = folder.path() / "checkpoints/last.safetensors";
  const Checkpoint kept = load_checkpoint(last, nn::block_layout(run.spec), {});
  CHECK(kept.run.step >= 5);
  for (const float v : kept.values) CHECK(std::isfinite(v));

  run.train = good;
  arch::Weights weights = arch::random_weights(run.spec, 1);
  const testing::TemporaryFolder start("start");
  run.options.init = start.path();
  weights.tensors.at("stem.weight").f32()[3] = std::nanf("");
  arch::save_weights(start.path() / "weights.safetensors", weights);
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("tensor stem.weight holds nan at position 3"));
  for (float& w : weights.tensors.at("stem.weight").f32()) w = 3e38f;
  arch::save_weights(start.path() / "weights.safetensors", weights);
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("output of node stem"));
}

TEST_CASE("missing memory is explained", "[train]") {
  Run run;
  run.train = std::make_shared<Spoiled>(run.train, 0, [](std::span<float>) { throw std::bad_alloc(); });
  CHECK_THROWS_WITH(run.fit(), Catch::Contains("out of memory") && Catch::Contains("train.batch_size = 16"));
}

}  // namespace condenser::train
