// Scale ratios as Q31 multipliers and shifts.
#include "runtime/fixed_point.hpp"

#include <cmath>

#include "condenser/core/text.hpp"

namespace condenser::runtime {
namespace {

constexpr int kMinShift = -31;
constexpr int kMinGainShift = -7;

}  // namespace

Requant quantize_multiplier(double ratio, const std::string& where) {
  if (!std::isfinite(ratio) || ratio <= 0)
    throw core::Error(where + ": ratio of scales " + core::number(ratio) + "; expected a finite positive number");
  int shift = 0;
  int64_t multiplier = std::llround(std::frexp(ratio, &shift) * 2147483648.0);
  if (multiplier == int64_t{1} << 31) {  // 0.9999999999 rounds up to one
    multiplier /= 2;
    ++shift;
  }
  if (shift < kMinShift) return {0, 0};
  if (shift > kMaxShift)
    throw core::Error(where + ": ratio of scales " + core::number(ratio) +
                      " is above 2^30; the scales do not fit each other, quantize again");
  return {static_cast<int32_t>(multiplier), shift};
}

Requant quantize_gain(double ratio, const std::string& where) {
  const Requant exact = quantize_multiplier(ratio, where);
  if (exact.multiplier != 0 && exact.shift >= kMinGainShift) return exact;
  return {static_cast<int32_t>(std::llround(std::ldexp(ratio, 31 - kMinGainShift))), kMinGainShift};
}

}  // namespace condenser::runtime
