#pragma once
// A lowered network that trains in its int8 form. Forward, every value is that of the int8 executor, which runs the
// weights as they are rounded now: equal bit for bit by construction, not by imitation. Backward, rounding counts as
// the identity inside the range that int8 can say, and as a constant outside (straight-through estimator, Bengio et al.
// 2013, arXiv 1308.3432; ranges as in Jacob et al. 2018, arXiv 1712.05877, section 3).

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::nn {

class FakeQuant {
 public:
  // `ranges`: scale and zero point of every node's output, which stay as they are. Weights get theirs at every run.
  FakeQuant(const arch::Spec& lowered, const runtime::QuantParams& ranges);

  // Rounds the weights and computes all values for x, [n, c, h, w] floats on the processor.
  void run(const arch::Weights&, const at::Tensor& x);

  // Of the last run: a parameter or a node's value as the integers have it, [n, c, h, w], with the gradient of `exact`,
  // which is the same computed in floats from rounded operands. A node's value is handed out once.
  at::Tensor parameter(int node, const std::string& name, const at::Tensor& exact) const;
  at::Tensor value(int node, const at::Tensor& exact);

 private:
  arch::Spec spec_;
  arch::Analysis costs_;
  runtime::QuantParams ranges_;
  std::map<std::string, at::Tensor> parameters_;  // "<node>.<param>", rounded
  std::vector<at::Tensor> values_;                // per node, [n, c, h, w], until they are handed out
};

}  // namespace condenser::nn
