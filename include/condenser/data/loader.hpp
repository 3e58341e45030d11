#pragma once
// Shuffled, resumable batches in contiguous buffers, filled by worker threads. The order is a pure function of (seed,
// epoch).

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "condenser/data/dataset.hpp"

namespace condenser::data {

struct Batch {
  int64_t epoch = 0, step = 0;  // step within the epoch
  int64_t position = 0;         // steps since the first of epoch 0
  int64_t size = 0;
  int64_t first = 0, total = 0;  // the batch over all ranks holds so many items, this one's start at `first`
  std::vector<float> x;          // [size, c, h, w]
  std::vector<int64_t> y;        // [size]
  std::vector<float> t;          // [size, classes]: targets of several classes or of mixed images; empty: y counts
};

struct LoaderOptions {
  int batch_size = 128;  // over all ranks
  bool shuffle = true;
  bool balanced = false;  // with shuffle: an epoch has as many items, but every class equally often
  bool drop_last = true;  // drop the short batch at the end of an epoch (when the set holds at least one whole batch)
  uint64_t seed = 0;
  int threads = 1;          // workers; batches arrive in order whatever their number
  int prefetch = 4;         // batches held ready
  int rank = 0, ranks = 1;  // of each batch's n items those from n * rank / ranks on, to the next rank's
  SampleAugment augment;    // items are drawn with Rng(seed, a stream of the loader, epoch * items + item);
                            // balanced, where an item may come several times: its place in the epoch for the item
  std::function<void(Batch&)> finish;  // what the worker that filled a batch does to it; depends on the batch alone
};

class Loader {
 public:
  Loader(std::shared_ptr<const Dataset>, const LoaderOptions&);
  ~Loader();
  int64_t steps_per_epoch() const;
  void seek(int64_t epoch, int64_t step);  // the next batch is this one; drops prefetched ones
  void next(Batch& out);  // goes on into the next epoch by itself; swaps buffers with `out`; rethrows a worker's error

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace condenser::data
