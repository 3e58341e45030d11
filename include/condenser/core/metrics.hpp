#pragma once
// One row of numbers per epoch, written to metrics.csv, metrics.jsonl and a TensorBoard event file in one folder.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace condenser::core {

class Metrics {
 public:
  // Opens the files of `folder`. `keep_rows` rows already there are kept and the rest dropped (they were written after
  // the checkpoint that a resumed run starts from); 0 starts afresh. Each Metrics opens an event file of its own; on
  // resume it tells TensorBoard to forget later steps of older ones.
  Metrics(const std::filesystem::path& folder, int64_t keep_rows);
  ~Metrics();

  // Columns must be the same in every row; tags for TensorBoard are the column names ("train/loss" style). NaN is
  // written as an empty CSV cell and null. Each row is flushed; throws Error when the disk is full.
  void row(int64_t step, const std::vector<std::pair<std::string, double>>& values);

 private:
  struct Sinks;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace condenser::core
