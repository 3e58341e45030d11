#pragma once
// Operators whose values tell whether a unit is on.

#include <optional>

#include "condenser/arch/ops.hpp"

namespace condenser::train {

// A unit is on when its value is larger; none: the operator has no such state.
inline std::optional<double> switches_at(const arch::Op& op) {
  if (const auto* activation = std::get_if<arch::Activation>(&op)) {
    const bool half = activation->kind == arch::ActivationKind::Sigmoid ||
                      activation->kind == arch::ActivationKind::HardSigmoid;  // of an input above 0
    return half ? 0.5 : 0.0;
  }
  if (std::holds_alternative<arch::PRelu>(op)) return 0.0;
  return std::nullopt;
}

}  // namespace condenser::train
