#pragma once
// Which nodes of a network run as one call: a pure function of the Spec, free of LibTorch.

#include <vector>

#include "condenser/arch/spec.hpp"
#include "nn/fused_kernels.hpp"

namespace condenser::nn {

// norm(a) is `a` itself where no batch norm stands before.
enum class Join {
  None,  // y = f(norm(a))
  Add,   // y = f(norm(a) + b)
  Gate,  // y = f(softmax(norm(a)) * b), softmax over channels
};

// What one call computes: the value of node `output` from the values of `inputs` (indices of nodes).
struct Step {
  int output = 0;
  std::vector<int> inputs;
  bool fused = false;  // a join of batch norms and a squash; otherwise the node alone, and what follows has no meaning
  Join join = Join::None;
  Squash squash = Squash::Identity;
  int norm_a = -1, norm_b = -1;  // batch-norm nodes, -1: the input as it is
  std::vector<int> last_uses;    // values not needed after this step

  bool operator==(const Step&) const = default;
};

// In the order of the nodes, without those that the output does not depend on. `spec` is valid.
std::vector<Step> plain_steps(const arch::Spec& spec);  // a step per node
// Each step swallows the nodes before it whose values nobody else needs: [norm] -> [add | softmax, mul] ->
// [activation].
std::vector<Step> fused_steps(const arch::Spec& spec);

}  // namespace condenser::nn
