// TrainOptions from a run file: one line per key with range and help.
#include "condenser/train/options.hpp"

namespace condenser::train {

void read_options(core::config::Reader& reader, TrainOptions& o) {
  reader.integer("epochs", o.epochs, 1, 100000, "passes over the training data");
  reader.integer("batch_size", o.batch_size, 1, 65536, "samples that go through the network together");
  reader.integer("accumulate", o.accumulate, 1, 4096, "batches whose gradients are summed for one step");
  reader.choice("optimizer", o.optimizer, {"sgd", "adamw"}, "sgd: Nesterov momentum; adamw: decoupled weight decay");
  reader.number("lr", o.lr, 0.0, 100.0, "peak learning rate, after the warm-up");
  reader.number("momentum", o.momentum, 0.0, 0.9999, "momentum of sgd, first beta of adamw");
  reader.number("weight_decay", o.weight_decay, 0.0, 10.0, "of kernels and matrices; batch norm and biases have none");
  reader.number("warmup_epochs", o.warmup_epochs, 0.0, 100000.0, "linear warm-up, then cosine to zero");
  reader.number("label_smoothing", o.label_smoothing, 0.0, 0.9, "share of the target spread over all classes");
  reader.number("ema_decay", o.ema_decay, 0.0, 0.99999,
                "moving average of the weights per step; the average is the result; 0: off");
  auto augment = reader.section("augment", "random changes of training items");
  read_options(augment, o.augment);
  reader.integer("threads", o.threads, 0, 1024, "threads of LibTorch; 0: all cores");
  reader.integer("loader_threads", o.loader_threads, 1, 256, "threads that prepare batches");
  reader.integer("checkpoint_steps", o.checkpoint_steps, 0, 1000000000,
                 "save every so many steps; 0: at the end of each epoch only");
  reader.boolean("sync_batch_norm", o.sync_batch_norm,
                 "several processes: batch norm over the whole batch; false: over each process's share of it");
  reader.number("bucket_mb", o.bucket_mb, 0.001, 4096,
                "several processes: gradients are summed in pieces of so many MiB, during the backward pass");
  reader.integer("rank_timeout", o.rank_timeout, 5, 86400,
                 "several processes: seconds without an answer after which one counts as lost");
  reader.integer("seed", o.seed, uint64_t{0}, UINT64_MAX, "of initial weights, order and augmentation");
}

}  // namespace condenser::train
