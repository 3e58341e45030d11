#pragma once
// fp16 has few exponents: the loss is scaled up so that gradients do not vanish, and a step whose gradients overflowed
// is left out (Micikevicius et al., arXiv 1710.03740). Everything stays on the device, so that a step can be recorded.

#include <ATen/core/Tensor.h>

#include "train/optim/optim.hpp"

namespace condenser::train {

class LossScale {
 public:
  // Starts at 65536; halves after an overflow, doubles after 2000 steps without one: the habit of torch.amp.GradScaler.
  explicit LossScale(at::Device);

  const at::Tensor& scale() const { return scale_; }  // [1] factor of the loss
  at::Tensor unscale(const at::Tensor& gradients);    // in place; [1]: more than 0 when one is not finite
  void update();                                      // after unscale()

  void load(const OptimizerState&);
  void store(OptimizerState&) const;

 private:
  at::Tensor scale_, finite_steps_, overflow_;
};

}  // namespace condenser::train
