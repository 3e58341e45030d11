#pragma once
// Parts of steps (int8_program.hpp) that operators share: parameters as the structs of kernels name them, tables,
// weights in the order of kernels.

#include <span>
#include <string>
#include <vector>

#include "condenser/runtime/int8_program.hpp"
#include "runtime/fixed_point.hpp"

namespace condenser::runtime::parts {

using Params = std::vector<Param>;

inline int32_t narrow(int64_t value) { return static_cast<int32_t>(value); }  // sizes are below kMaxElements = 2^28

void append(Params& params, const Params& more);

// Fields that several structs share.
Params map_params(const arch::Shape& in, const arch::Shape& out);
Params range_params(const TensorQuant& output, arch::Clamp);  // zero point and clamp, in output integers

template <class Window>
Params window_params(const Window& w) {
  return {{"kernel_h", w.kernel.h}, {"kernel_w", w.kernel.w}, {"stride_h", w.stride.h},
          {"stride_w", w.stride.w}, {"pad_top", w.pad.top},   {"pad_left", w.pad.left}};
}

template <class Pool>
Params pool_params(const Pool& pool, const arch::Shape& in, const arch::Shape& out) {
  Params params = map_params(in, out);
  append(params, window_params(pool));
  return params;
}

// TFLite's form of a sum: both inputs relative to twice the larger scale, shifted left so far that nothing is lost;
// their sum relative to the output's scale.
struct SumScales {
  Requant left, right, sum;
  Params params() const;
};
SumScales sum_scales(double a, double b, double out, int left_shift, const std::string& where);

// Terms of one softmax lie `term_step` apart, one line `line_step` from the next.
Params line_params(const arch::SoftmaxMul&, const arch::Shape& in);

double activate(arch::ActivationKind, double x);
int32_t nearest(double value, const TensorQuant&);  // the integer that says a value best

int64_t softmax_terms(const arch::SoftmaxMul&, const arch::Shape& in);
std::vector<uint16_t> exponential_table(double scale);

// [out, in/groups, kh, kw] -> [out, kh, kw, in/groups]
std::vector<int8_t> to_ohwi(std::span<const int8_t> weights, const arch::Conv2d& op, int64_t group_in);

}  // namespace condenser::runtime::parts
