#pragma once
// How to make Weights. Plain data; no LibTorch here.

#include <filesystem>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/train/augment_options.hpp"

namespace condenser::train {

// A trained network whose outputs are learned besides the labels.
struct DistillOptions {
  std::filesystem::path teacher;  // its weights, or the folder of its run; empty: off
  std::string spec;               // its network: zoo name or file; empty: the winner of its run
  double alpha = 0.5;             // share of the teacher in the loss
  double temperature = 4.0;       // of both in that share
};

// Early epochs at smaller pictures.
struct ResizeOptions {
  std::vector<int> sizes;  // shorter sides, one phase each; empty: off
  int epochs = 0;          // in all phases together; then the network's own size
};

struct TrainOptions {
  int epochs = 8;
  int batch_size = 128;
  int accumulate = 1;             // batches per step
  std::string optimizer = "sgd";  // sgd, sgdw, adamw, lion, muon
  double lr = 0.1;                // peak
  double min_lr = 0.0;            // at the end
  double momentum = 0.9;
  double weight_decay = 5e-4;       // not on batch norm and biases
  double clip_grad = 0.0;           // largest norm of the gradient; 0: off
  std::string schedule = "cosine";  // cosine, linear, step, one_cycle, constant
  double warmup_epochs = 1.0;       // linear, before the schedule
  std::vector<double> milestones;   // step: epochs at which the rate falls
  double gamma = 0.1;               // and by what factor
  double pct_start = 0.3;           // one_cycle: share of the steps in which the rate rises
  std::string loss = "auto";        // cross_entropy, binary, reconstruction
  double label_smoothing = 0.1;
  std::vector<double> class_weights;  // one per class; empty: 1
  std::string balance = "none";       // weights, sampling
  double ema_decay = 0.0;             // 0: no moving average; the averaged weights are the result
  std::string metric = "accuracy";    // of validation, for best and patience
  int patience = 0;                   // epochs without a better metric before the training ends; 0: off
  std::string keep = "last";          // or best: which weights are the result
  std::filesystem::path init;         // weights to start from, or the folder of their run; empty: random
  std::vector<std::string> freeze;    // beginnings of node names that do not learn
  DistillOptions distill;
  ResizeOptions resize;
  AugmentOptions augment;
  std::string device = "auto";   // cpu, cuda; auto: cuda where there is one
  std::string amp = "off";       // bf16, fp16: automatic mixed precision
  bool deterministic = true;     // on a GPU
  bool portable = false;         // on the processor: the same bits on all of x86-64
  int threads = 0;               // LibTorch threads; 0: all cores
  int loader_threads = 0;        // prepare batches; 0: one, beside a GPU up to eight
  int checkpoint_steps = 0;      // also save every so many steps; 0: at the end of each epoch
  bool sync_batch_norm = false;  // several processes: statistics of the whole batch; off: of each process's share
  double bucket_mb = 1.0;        // gradients are summed over processes in pieces of this size, during the backward pass
  int rank_timeout = 300;        // seconds without an answer after which a process counts as lost
  uint64_t seed = 1;
};
// Throws ConfigError for values out of range and for options that contradict each other (train/check_options.hpp).
// `section`: its name in the file, for messages that name two options.
void read_options(core::config::Reader&, TrainOptions&, const std::string& section = "train");
// Reads without looking at how they go together.
void list_options(core::config::Reader&, TrainOptions&);

// Whether classes are decisions of their own (a sigmoid each) rather than one choice (softmax): binary loss.
bool independent_classes(const TrainOptions&, bool multi_label);

// Whether the network gives its input again: mean squared error.
bool chooses(const TrainOptions&);  // by validation: when the training ends, or which weights are kept
bool reconstructs(const TrainOptions&);

}  // namespace condenser::train
