#pragma once
// The optimizers of optim.hpp as a few tensor operations over the whole block, for any device.

#include <ATen/core/Tensor.h>

#include <array>

#include "train/optim/optim.hpp"

namespace condenser::train {

class DeviceOptimizer {
 public:
  // `frozen`: segments, running statistics among them, that keep the values of `block` as they are now.
  DeviceOptimizer(const TrainOptions&, const nn::BlockLayout&, std::span<const nn::Segment> frozen,
                  const at::Tensor& block);

  // One step with the learning rate and average of set(): update and average the block, zero the gradients. `overflow`
  // [1]: more than 0 leaves the step out; undefined: never. No value comes back to the processor, and all shapes are
  // fixed.
  void step(const at::Tensor& block, const at::Tensor& gradients, const at::Tensor& average,
            const at::Tensor& overflow);

  // What changes from step to step, for the next one; counts it.
  void set(double lr, int64_t step);

  void load(const OptimizerState&);
  void store(OptimizerState&) const;

 private:
  struct Matrix {  // of muon
    nn::Segment segment;
    at::Tensor before;  // its values
  };
  using Move = void (DeviceOptimizer::*)(at::Tensor values, const at::Tensor& gradients);
  static Move move_of(const std::string& optimizer);
  void sgd(at::Tensor values, const at::Tensor& gradients);
  void sgdw(at::Tensor values, const at::Tensor& gradients);
  void adamw(at::Tensor values, const at::Tensor& gradients);
  void lion(at::Tensor values, const at::Tensor& gradients);
  void muon(at::Tensor values, const at::Tensor& gradients);
  at::Tensor keep() const;  // [trainable_size] factors of decoupled decay

  const TrainOptions options_;
  const Move move_;
  int64_t steps_ = 0;
  at::Tensor decay_;                      // [trainable_size] weight decay of each value
  at::Tensor first_, second_;             // [trainable_size]; second_ may be undefined
  at::Tensor frozen_, start_, learning_;  // [size] which values stay, what they are; [trainable_size] 0 where they do
  at::Tensor numbers_, host_numbers_;     // of set(), on the device and here
  std::vector<Matrix> matrices_;
};

// About U V^T of each [rows, columns] matrix of the batch; see muon.hpp.
at::Tensor orthogonal(at::Tensor matrices);

}  // namespace condenser::train
