#pragma once
// Reference execution of a Spec in float32 with Eigen (im2col and matrix products). Clear rather than fast, but fast
// enough for calibration.

#include <functional>
#include <span>
#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::runtime {

class FloatExecutor {
 public:
  // Works on lowered and unlowered Specs (batch norm uses running statistics). Checks the weights. Keeps references:
  // both must outlive it.
  FloatExecutor(const arch::Spec&, const arch::Weights&);

  // Called for every live node in order with its output, [n, c, h, w], which it may change before others read it.
  using Tap = std::function<void(int node, std::span<float> values)>;

  // input: [n, c, h, w]. Returns the outputs' values one output after the other, each [n, c, h, w].
  std::vector<float> run(std::span<const float> input, int64_t n, const Tap& tap = {}) const;

 private:
  const arch::Spec& spec_;
  const arch::Weights& weights_;
  std::vector<arch::Shape> shapes_;
  std::vector<int> last_use_;
};

}  // namespace condenser::runtime
