#pragma once
// What a training run leaves in its folder: metrics, checkpoints/last.safetensors to go on from and
// checkpoints/best.safetensors. Without a folder there is only the state, and without both nothing is written.

#include <optional>

#include "condenser/core/metrics.hpp"
#include "train/files/checkpoint.hpp"

namespace condenser::train {

class RunFiles {
 public:
  // `state`: the file to go on from, instead of a folder.
  RunFiles(std::filesystem::path folder, std::filesystem::path state, const nn::BlockLayout&, Identity);

  bool on() const { return !folder_.empty(); }
  bool saves() const { return on() || !state_.empty(); }
  std::filesystem::path last_file() const;
  std::optional<Checkpoint> open();  // the checkpoint to go on from, if any; metrics after it are dropped
  void save(const Checkpoint&);
  void row(int64_t epoch, const std::vector<std::pair<std::string, double>>& values);
  void best(const arch::Weights&);

 private:
  std::filesystem::path folder_, state_;
  const nn::BlockLayout& layout_;
  Identity identity_;
  std::optional<core::Metrics> metrics_;
};

}  // namespace condenser::train
