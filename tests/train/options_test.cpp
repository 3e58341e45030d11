#include "condenser/train/options.hpp"

#include "support/catch.hpp"

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

TEST_CASE("training options out of range and unknown keys are refused", "[train]") {
  for (const char* text : {"epochs: 0", "batch_size: 0", "optimizer: lion", "lr: -1", "momentum: 1", "ema_decay: 1",
                           "label_smoothing: 1", "augment: {shift: -1}", "threads: -1", "epoch: 3"}) {
    INFO(text);
    Reader reader = Reader::from_text(text, "run.yaml");
    TrainOptions o;
    CHECK_THROWS_AS((read_options(reader, o), reader.finish()), core::ConfigError);
  }
}

}  // namespace condenser::train
