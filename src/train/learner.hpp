#pragma once
// What a training step needs from a device: the network, the optimizer's memory and the moving average live in a
// Learner, the loop only says when. One class per kind of device.

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>

#include "condenser/data/loader.hpp"
#include "condenser/train/backend.hpp"
#include "train/evaluate.hpp"
#include "train/files/checkpoint.hpp"
#include "train/files/transfer.hpp"
#include "train/loss/loss.hpp"

namespace condenser::train {

// Rows of a batch that go through the network together.
struct Rows {
  int64_t size = 0;
  std::span<const float> x;    // [size, c, h, w]
  std::span<const int64_t> y;  // [size]
  std::span<const float> t;    // [size, classes], or empty: y counts
};
Rows rows(const data::Batch&, int64_t part, int64_t parts);  // of equal size, but for a remainder

// What the outputs should be: for squared errors the rows themselves.
inline std::span<const float> marks_of(const Objective& o, const Rows& rows) {
  return o.kind == LossKind::SquaredError ? rows.x : rows.t;
}

class Learner {
 public:
  virtual ~Learner() = default;

  virtual const nn::BlockLayout& layout() const = 0;
  virtual std::string execution() const = 0;  // where and how, in words: "cuda, bf16, recorded steps"

  // From now on rows are pictures of this size, with as many channels. At first: the input of the spec.
  virtual void set_input(const arch::Shape&) = 0;
  // Forward, loss and backward. Adds the gradient of (sum of losses) / divisor to gradients().
  virtual LossSum accumulate(const Rows&, int64_t divisor) = 0;
  // [trainable_size] on the device. May be changed between accumulate() and update(): clipped, summed over processes.
  virtual at::Tensor gradients() = 0;
  // One step of the optimizer, which leaves the gradients at zero, and of the moving average. `step` counts from 0.
  virtual void update(double lr, int64_t step) = 0;

  // For training with other processes: the leaves of autograd whose gradients are parts of gradients(), in the layout's
  // order (empty: gradients are known only when accumulate() returns); running statistics, [size - trainable_size];
  // batch norm over the batches of all ranks.
  virtual std::vector<at::Tensor> parameters() { return {}; }
  virtual at::Tensor statistics() = 0;
  virtual void synchronize(nn::SumOverRanks) = 0;

  // Values, average and optimizer of a checkpoint. An empty optimizer state: as it is.
  virtual void load(const Checkpoint&) = 0;
  virtual void store(Checkpoint&) const = 0;

  // What is not finite first when these rows go through the network, in words.
  virtual std::string first_non_finite(const Rows&) = 0;

  // Both at the input of the spec and with the moving average when there is one.
  virtual Evaluation evaluate(const data::Dataset&, OnStop, const EvaluationShare& = {}) = 0;
  virtual std::vector<float> result() const = 0;  // [layout().size]
};

struct LearnerSetup {
  const arch::Spec& spec;
  const arch::Weights& initial;
  const TrainOptions& options;
  Objective objective;
  const Teacher* teacher = nullptr;
  const runtime::QuantParams* ranges = nullptr;  // trains in int8 form, see FitRequest
};

std::unique_ptr<Learner> make_cpu_learner(const LearnerSetup&);

// Through the library's calls, on any device, in mixed precision if options.amp says so. On a GPU, steps of fixed shape
// are recorded once warm and replayed, unless `recording` is off.
std::unique_ptr<Learner> make_device_learner(const LearnerSetup&, at::Device, bool recording = true);

// Why there is no GPU to train on; "" when there is one.
std::string gpu_missing();

// The device that options.device and options.amp ask for: with several GPUs, each rank of a machine its own. Throws
// ConfigError when it cannot be had.
at::Device chosen_device(const TrainOptions&, int local_rank = 0);

// The first for the processor in full precision, the second otherwise.
std::unique_ptr<Learner> make_learner(const LearnerSetup&, at::Device);

}  // namespace condenser::train
