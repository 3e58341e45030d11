// TrainOptions from a run file: one line per key with range and help. What must fit together: check_options.cpp.
#include "condenser/train/options.hpp"

#include <algorithm>

#include "condenser/arch/zoo.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/train/check_options.hpp"
#include "train/optim/optim.hpp"

namespace condenser::train {
namespace {

using core::config::Decides;

bool in_zoo(const std::string& name) {
  return std::any_of(arch::zoo().begin(), arch::zoo().end(), [&](const auto& card) { return card.name == name; });
}

void read_distill(core::config::Reader reader, DistillOptions& o) {
  reader.existing_path("teacher", o.teacher, "weights of the teacher, or the folder of its run; empty: off");
  const std::string about = "its network: a zoo name or a spec file; empty: the winner in the folder of its run";
  reader.text("spec", o.spec, about, Decides::Nothing);  // its content counts: see identity.cpp
  if (!o.spec.empty() && !in_zoo(o.spec)) {
    std::filesystem::path file = o.spec;
    reader.existing_path("spec", file, about);
    o.spec = file.string();
  }
  reader.number("alpha", o.alpha, 0.0, 1.0, "share of the teacher in the loss");
  reader.number("temperature", o.temperature, 0.1, 100.0, "of teacher and student in that share");
}

void read_resize(core::config::Reader reader, ResizeOptions& o) {
  reader.integers("sizes", o.sizes, 8, 4096, "shorter sides of the pictures in early epochs, a phase each; []: off");
  reader.integer("epochs", o.epochs, 0, 100000, "epochs of these phases together; then the network's own size");
}

}  // namespace

void list_options(core::config::Reader& reader, TrainOptions& o) {
  reader.integer("epochs", o.epochs, 0, 100000, "passes over the training data; 0: the weights of init as they are");
  reader.integer("batch_size", o.batch_size, 1, 65536, "samples that go through the network together");
  reader.integer("accumulate", o.accumulate, 1, 4096, "batches whose gradients are summed for one step");
  reader.choice("optimizer", o.optimizer, optimizer_names(), optimizers_about());
  reader.number("lr", o.lr, 0.0, 100.0, "peak learning rate, after the warm-up");
  reader.number("min_lr", o.min_lr, 0.0, 100.0, "learning rate at the end of cosine, linear and one_cycle");
  reader.number("momentum", o.momentum, 0.0, 0.9999, "momentum of sgd and muon, first beta of adamw and lion");
  reader.number("weight_decay", o.weight_decay, 0.0, 10.0, "of kernels and matrices; batch norm and biases have none");
  reader.number("clip_grad", o.clip_grad, 0.0, 1e9, "largest norm of the whole gradient, longer ones are cut; 0: off");
  reader.choice("schedule", o.schedule, {"cosine", "linear", "step", "one_cycle", "constant"},
                "of the learning rate after the warm-up");
  reader.number("warmup_epochs", o.warmup_epochs, 0.0, 100000.0, "linear rise to the schedule's first rate");
  reader.numbers("milestones", o.milestones, 0.0, 100000.0, "schedule step: epochs after which the rate falls");
  reader.number("gamma", o.gamma, 0.0, 1.0, "schedule step: factor by which it falls each time");
  reader.number("pct_start", o.pct_start, 0.0, 1.0,
                "schedule one_cycle: share of its steps in which the rate rises, from lr / 25");
  reader.choice(
      "loss", o.loss, {"auto", "cross_entropy", "binary", "reconstruction"},
      "binary: a yes or no for each class; auto: binary for data with several classes per item; reconstruction: "
      "the network gives its input again, squared error");
  reader.number("label_smoothing", o.label_smoothing, 0.0, 0.9, "share of the target spread over all classes");
  reader.numbers("class_weights", o.class_weights, 0.0, 1e6,
                 "factor on the loss of each class (of its items, with loss binary), in the order of classes; []: 1");
  reader.choice("balance", o.balance, {"none", "weights", "sampling"},
                "skewed data: class weights from inverse frequencies, or every class drawn equally often");
  reader.number("ema_decay", o.ema_decay, 0.0, 0.99999,
                "moving average of the weights per step; the average is the result; 0: off");
  reader.choice("metric", o.metric, data::metric_names(), "of the validation part, for patience and the best weights");
  reader.integer("patience", o.patience, 0, 100000, "end after so many epochs without a better metric; 0: off");
  reader.choice("keep", o.keep, {"last", "best"}, "which weights are the result");
  reader.existing_path("init", o.init, "weights to start from, or the folder of their run; the head may be another");
  reader.texts("freeze", o.freeze, "beginnings of node names whose parameters and statistics stay as they are");
  read_distill(reader.section("distill", "learn from a trained network too"), o.distill);
  read_resize(reader.section("resize", "smaller pictures in early epochs"), o.resize);
  auto augment = reader.section("augment", "random changes of training items");
  read_options(augment, o.augment);
  // The device that is used counts, not how it was named: the trainer's identity has it.
  reader.choice("device", o.device, {"auto", "cpu", "cuda"}, "where to train; auto: on a GPU when there is one",
                Decides::Nothing);
  reader.choice(
      "amp", o.amp, {"off", "bf16", "fp16"},
      "automatic mixed precision: convolutions and products in this type; fp16, with scaled losses, on a GPU");
  reader.boolean("deterministic", o.deterministic,
                 "on a GPU: operations that add up in one order, where there are such; the processor's always do");
  reader.boolean("portable", o.portable,
                 "the same bits on every x86-64 processor: no wide vectors, two to four times slower");
  reader.integer("threads", o.threads, 0, 1024, "threads of LibTorch; 0: all cores", Decides::Nothing);
  reader.integer("loader_threads", o.loader_threads, 0, 256,
                 "threads that prepare batches; 0: one, beside a GPU up to eight", Decides::Nothing);
  reader.integer("checkpoint_steps", o.checkpoint_steps, 0, 1000000000,
                 "save every so many steps; 0: at the end of each epoch only", Decides::Nothing);
  reader.boolean("sync_batch_norm", o.sync_batch_norm,
                 "several processes: batch norm over the whole batch; false: over each process's share of it");
  reader.number("bucket_mb", o.bucket_mb, 0.001, 4096,
                "several processes: gradients are summed in pieces of so many MiB, during the backward pass");
  reader.integer("rank_timeout", o.rank_timeout, 5, 86400,
                 "several processes: seconds without an answer after which one counts as lost", Decides::Nothing);
  reader.integer("seed", o.seed, uint64_t{0}, UINT64_MAX, "of initial weights, order and augmentation");
}

void read_options(core::config::Reader& reader, TrainOptions& o, const std::string& section) {
  list_options(reader, o);
  if (const auto found = conflict({.options = o}, section)) throw conflict_error(reader, *found);
}

bool chooses(const TrainOptions& o) { return o.patience > 0 || o.keep == "best"; }

bool reconstructs(const TrainOptions& o) { return o.loss == "reconstruction"; }

bool independent_classes(const TrainOptions& o, bool multi_label) {
  return o.loss == "binary" || (o.loss == "auto" && multi_label);
}

}  // namespace condenser::train
