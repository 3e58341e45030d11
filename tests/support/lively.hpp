#pragma once
// Numbers that exercise a network: nothing is left at 0, 1 or its initial value.

#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::testing {

std::vector<float> random_floats(int64_t count, uint64_t seed);  // standard normal

// Random weights whose batch norms do something: random statistics, scales and shifts.
arch::Weights lively_weights(const arch::Spec&, uint64_t seed);

// Outputs of two forms of one network.
struct Difference {
  double largest = 0;       // absolute; infinite when a value of either is not finite or the sizes differ
  double output_scale = 0;  // largest absolute value of the second
};
Difference difference(const std::vector<float>&, const std::vector<float>&);

}  // namespace condenser::testing
