#pragma once
// How to make Weights. Plain data; no LibTorch here.

#include <string>

#include "condenser/core/config.hpp"
#include "condenser/train/augment_options.hpp"

namespace condenser::train {

struct TrainOptions {
  int epochs = 8;
  int batch_size = 128;
  int accumulate = 1;             // batches per step
  std::string optimizer = "sgd";  // sgd (Nesterov) or adamw
  double lr = 0.1;                // peak
  double momentum = 0.9;
  double weight_decay = 5e-4;  // not on batch norm and biases
  double warmup_epochs = 1.0;  // linear, then cosine to zero
  double label_smoothing = 0.1;
  double ema_decay = 0.0;  // 0: no moving average; the averaged weights are the result
  AugmentOptions augment;
  int threads = 0;  // LibTorch threads; 0: all cores
  int loader_threads = 1;
  int checkpoint_steps = 0;      // also save every so many steps; 0: at the end of each epoch
  bool sync_batch_norm = false;  // several processes: statistics of the whole batch; off: of each process's share
  double bucket_mb = 1.0;        // gradients are summed over processes in pieces of this size, during the backward pass
  int rank_timeout = 300;        // seconds without an answer after which a process counts as lost
  uint64_t seed = 1;
};
void read_options(core::config::Reader&, TrainOptions&);

}  // namespace condenser::train
