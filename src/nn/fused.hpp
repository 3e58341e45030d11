#pragma once
// Batch norm together with what follows it, as one autograd function. The elementwise passes dominate the training of
// small column networks on a CPU: fused, each activation is read and written once instead of four times.

#include <ATen/core/Tensor.h>

#include <optional>

#include "condenser/nn/spec_net.hpp"
#include "nn/fuse_plan.hpp"

namespace condenser::nn {

// One input; `gamma` is undefined when it is taken as it is.
struct FusedInput {
  at::Tensor x;                          // [n, c, h, w]
  at::Tensor gamma, beta;                // [c]
  at::Tensor running_mean, running_var;  // [c], updated in place while training (unbiased variance, as PyTorch does)
  double eps = 1e-5, momentum = 0.1;
};

// Returns y, contiguous. `b` must be given unless join is None. `over_ranks`: batch statistics are those of all ranks,
// in both directions; it must live until backward() is done. Null or empty: of this batch.
at::Tensor fused_norm(Join, Squash, const FusedInput& a, const std::optional<FusedInput>& b, bool training,
                      const SumOverRanks* over_ranks = nullptr);

}  // namespace condenser::nn
