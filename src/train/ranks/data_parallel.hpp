#pragma once
// What the training loop needs so that several processes train one network: every rank works on its share of each
// batch, and after every step all of them hold the same bits. Alone, nothing of this costs anything.

#include "train/files/run_files.hpp"
#include "train/learner.hpp"
#include "train/ranks/dist.hpp"

namespace condenser::train {

class DataParallel {
 public:
  // `group` null: alone. Refuses options that need what the learner cannot do.
  DataParallel(Group* group, const TrainOptions&, Learner&);
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  int rank() const;
  int size() const;
  bool leads() const { return rank() == 0; }

  // Rank 0's checkpoint on all ranks, so that they need no common file system. Without one: rank 0's values.
  std::optional<Checkpoint> open(RunFiles&, const Identity&);

  // The next backward pass is the last one of its step: gradients are summed over ranks while it goes on.
  void start_last_part();
  // Gradients and `sum` become those of all ranks, running statistics their mean, and the ranks agree on stopping.
  void finish_step(LossSum& sum);
  // Has any rank been asked to stop before the last finish_step()? Alone: has this process?
  bool stop_requested() const;

  Evaluation evaluate(const data::Dataset&);  // each rank a part of it

 private:
  struct Exchange;
  Group* group_;
  Learner& learner_;
  int64_t bucket_bytes_;
  bool average_statistics_ = false;
  bool stop_ = false;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace condenser::train
