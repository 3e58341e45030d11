#pragma once
// Everything needed to go on exactly: one safetensors file, written atomically, with a checksum in its metadata.

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "condenser/nn/weights_bridge.hpp"
#include "condenser/train/backend.hpp"
#include "train/optim/optim.hpp"

namespace condenser::train {

// Where a run stands.
struct RunState {
  int64_t step = 0;     // steps done, of the whole run
  int64_t rows = 0;     // metric rows written
  double loss_sum = 0;  // of the running epoch
  int64_t correct = 0, seen = 0;
  double seconds = 0;                                            // spent training so far, over all starts
  double best_score = -std::numeric_limits<double>::infinity();  // on validation data; larger is better
  int64_t best_epoch = 0;                                        // epochs done when it was reached; 0: none yet
  std::vector<EpochScore> curve;                                 // of every epoch; empty unless it is asked for
  bool operator==(const RunState&) const = default;
};

struct Checkpoint {
  RunState run;
  std::vector<float> values;   // parameter block
  std::vector<float> average;  // moving average of it; empty when off
  std::vector<float> best;     // the result at best_epoch; empty unless it is asked for
  OptimizerState optimizer;
};

// What must not change between start and resume, by name ("spec_hash", "lr", ...).
using Identity = std::map<std::string, std::string>;

std::string number_text(double value);  // shortest text that reads back to the same number

void save_checkpoint(const std::filesystem::path&, const nn::BlockLayout&, const Identity&, const Checkpoint&);

// Throws ConfigError naming the first difference of identity, core::Error for a damaged file.
Checkpoint load_checkpoint(const std::filesystem::path&, const nn::BlockLayout&, const Identity&);

}  // namespace condenser::train
