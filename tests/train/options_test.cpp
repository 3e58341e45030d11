#include "condenser/train/options.hpp"

#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {

using core::config::Reader;

TEST_CASE("training options are read from a run file", "[train]") {
  Reader reader = Reader::from_text(
      "epochs: 3\nbatch_size: 32\noptimizer: adamw\nlr: 0.002\nmomentum: 0.8\nweight_decay: 0.05\nwarmup_epochs: 0.5\n"
      "label_smoothing: 0\nema_decay: 0.99\naugment: {shift: 1, flip: true, cutout: 4}\nthreads: 2\nloader_threads: 3\n"
      "checkpoint_steps: 7\nseed: 18446744073709551615\n",
      "run.yaml");
  TrainOptions o;
  read_options(reader, o);
  reader.finish();
  CHECK(o.epochs == 3);
  CHECK(o.batch_size == 32);
  CHECK(o.optimizer == "adamw");
  CHECK(o.lr == 0.002);
  CHECK(o.momentum == 0.8);
  CHECK(o.weight_decay == 0.05);
  CHECK(o.warmup_epochs == 0.5);
  CHECK(o.label_smoothing == 0.0);
  CHECK(o.ema_decay == 0.99);
  CHECK(o.augment.shift == 1);
  CHECK(o.augment.flip);
  CHECK(o.augment.cutout == 4);
  CHECK(o.threads == 2);
  CHECK(o.loader_threads == 3);
  CHECK(o.checkpoint_steps == 7);
  CHECK(o.seed == UINT64_MAX);
}

TEST_CASE("training options of the finer kind are read", "[train]") {
  Reader reader = Reader::from_text(
      "accumulate: 2\noptimizer: muon\nmin_lr: 0.01\nclip_grad: 1.5\nschedule: step\nmilestones: [3, 5.5]\ngamma: 0.2\n"
      "pct_start: 0.4\nloss: binary\nclass_weights: [1, 2]\nbalance: sampling\nmetric: macro_f1\npatience: 4\n"
      "keep: best\nfreeze: [stem, s1]\ndistill: {spec: resnet8, alpha: 0.7, temperature: 2}\n"
      "resize: {sizes: [16, 24], epochs: 4}\n",
      "run.yaml");
  TrainOptions o;
  list_options(reader, o);  // not all of these go together
  reader.finish();
  CHECK(o.accumulate == 2);
  CHECK(o.optimizer == "muon");
  CHECK(o.min_lr == 0.01);
  CHECK(o.clip_grad == 1.5);
  CHECK(o.schedule == "step");
  CHECK(o.milestones == std::vector<double>{3, 5.5});
  CHECK(o.gamma == 0.2);
  CHECK(o.pct_start == 0.4);
  CHECK(o.loss == "binary");
  CHECK(o.class_weights == std::vector<double>{1, 2});
  CHECK(o.balance == "sampling");
  CHECK(o.metric == "macro_f1");
  CHECK(o.patience == 4);
  CHECK(o.keep == "best");
  CHECK(o.freeze == std::vector<std::string>{"stem", "s1"});
  CHECK(o.distill.spec == "resnet8");
  CHECK(o.distill.alpha == 0.7);
  CHECK(o.distill.temperature == 2);
  CHECK(o.resize.sizes == std::vector<int>{16, 24});
  CHECK(o.resize.epochs == 4);
}

TEST_CASE("files in training options are found beside the run file", "[train]") {
  const testing::TemporaryFolder folder("options");
  core::write_atomic(folder.path() / "net.yaml", "x");
  core::write_atomic(folder.path() / "old.safetensors", "x");
  core::write_atomic(folder.path() / "run.yaml",
                     "init: old.safetensors\ndistill: {teacher: old.safetensors, spec: net.yaml}\n");
  Reader reader = Reader::from_file(folder.path() / "run.yaml");
  TrainOptions o;
  read_options(reader, o);
  CHECK(o.init == folder.path() / "old.safetensors");
  CHECK(o.distill.spec == (folder.path() / "net.yaml").string());
  Reader missing = Reader::from_text("distill: {spec: nowhere.yaml}", "run.yaml");
  CHECK_THROWS_WITH(read_options(missing, o), Catch::Contains("nowhere.yaml"));
}

TEST_CASE("training options that contradict each other are refused", "[train]") {
  for (const char* text :
       {"min_lr: 1", "schedule: step", "milestones: [3]", "{class_weights: [1, 1], balance: weights}",
        "resize: {sizes: [16]}", "resize: {epochs: 3}", "resize: {sizes: [16, 24], epochs: 1}",
        "{device: cpu, amp: fp16}", "{epochs: 4, resize: {sizes: [16], epochs: 4}}"}) {
    INFO(text);
    Reader reader = Reader::from_text(text, "run.yaml");
    TrainOptions o;
    CHECK_THROWS_AS(read_options(reader, o), core::ConfigError);
  }
}

TEST_CASE("training options out of range and unknown keys are refused", "[train]") {
  for (const char* text : {"epochs: 0", "batch_size: 0", "optimizer: adam", "lr: -1", "momentum: 1", "ema_decay: 1",
                           "label_smoothing: 1", "augment: {shift: -1}", "threads: -1", "epoch: 3"}) {
    INFO(text);
    Reader reader = Reader::from_text(text, "run.yaml");
    TrainOptions o;
    CHECK_THROWS_AS((read_options(reader, o), reader.finish()), core::ConfigError);
  }
}

}  // namespace condenser::train
