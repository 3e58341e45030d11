#pragma once
// The integer of a value.

#include <cmath>
#include <cstdint>

#include "condenser/runtime/quant_params.hpp"

namespace condenser::runtime {

// To the nearest, halves away from zero, kept within -128..127; not a number becomes -128, as fmax ignores it.
inline int8_t quantized(float x, const TensorQuant& quant) {
  const double q = std::round(double{x} / quant.scale) + quant.zero_point;
  return static_cast<int8_t>(std::fmin(std::fmax(q, -128.0), 127.0));
}

}  // namespace condenser::runtime
