#pragma once
// Random int8 weights and plausible scales for a lowered Spec, so that kernels, exports and proofs can be tested
// without training or calibration.

#include "condenser/runtime/quant_params.hpp"

namespace condenser::testing {

struct RandomInt8 {
  arch::Weights weights;
  runtime::QuantParams quant;
};

// Outputs use most of their range; pools keep their input's parameters. Deterministic by seed. `wide`: nodes whose
// values have 16 bits (arch::Int16Nodes).
RandomInt8 random_int8(const arch::Spec& lowered, uint64_t seed, const std::vector<bool>& wide = {});

// Every operator has an int8 form.
bool runs_in_int8(const arch::Spec& lowered);

std::vector<int8_t> random_input(const arch::Spec& spec, uint64_t seed);  // [h, w, c]

}  // namespace condenser::testing
