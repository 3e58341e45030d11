#pragma once
// Real scale ratios as integers, on the host. The arithmetic that uses them is kernels/cnd_fixed_point.h.

#include <string>

#include "condenser/runtime/int8_program.hpp"

namespace condenser::runtime {

inline constexpr int kMaxShift = 30;

// ratio = multiplier * 2^(shift - 31) with multiplier in [2^30, 2^31), rounded to nearest; below 2^-32 it is {0, 0}, as
// in TFLite. Throws core::Error ("<where>: ...") when the ratio is not finite and positive or needs a shift over 30.
Requant quantize_multiplier(double ratio, const std::string& where);

// The same with shift >= -7: smaller ratios give smaller multipliers. The form of the softmax_mul kernel.
Requant quantize_gain(double ratio, const std::string& where);

}  // namespace condenser::runtime
