#include "runtime/step_parts.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"

namespace condenser::runtime::parts {

void append(Params& params, const Params& more) { params.insert(params.end(), more.begin(), more.end()); }

Params map_params(const arch::Shape& in, const arch::Shape& out) {
  return {{"in_h", narrow(in.h)},
          {"in_w", narrow(in.w)},
          {"channels", narrow(in.c)},
          {"out_h", narrow(out.h)},
          {"out_w", narrow(out.w)}};
}

Params range_params(const TensorQuant& output, arch::Clamp clamp) {
  const int32_t low = clamp == arch::Clamp::None ? output.low() : output.zero_point;
  const int32_t high = clamp == arch::Clamp::Relu6 ? nearest(6.0, output) : output.high();
  return {{"output_zero_point", output.zero_point}, {"act_min", low}, {"act_max", high}};
}

SumScales sum_scales(double a, double b, double out, int left_shift, const std::string& where) {
  const double twice_larger = 2.0 * std::max(a, b);
  return {quantize_multiplier(a / twice_larger, where), quantize_multiplier(b / twice_larger, where),
          quantize_multiplier(twice_larger / std::ldexp(out, left_shift), where)};
}

Params SumScales::params() const {
  return {{"a_multiplier", left.multiplier},  {"a_shift", left.shift},
          {"b_multiplier", right.multiplier}, {"b_shift", right.shift},
          {"out_multiplier", sum.multiplier}, {"out_shift", sum.shift}};
}

Params line_params(const arch::SoftmaxMul& op, const arch::Shape& in) {
  const int32_t pixels = narrow(in.h * in.w), channels = narrow(in.c);
  if (op.axis == arch::SoftmaxAxis::Channels)
    return {{"lines", pixels}, {"line_step", channels}, {"terms", channels}, {"term_step", 1}};
  return {{"lines", channels}, {"line_step", 1}, {"terms", pixels}, {"term_step", channels}};
}

double activate(arch::ActivationKind kind, double x) {
  const auto sigmoid = [](double v) { return 1.0 / (1.0 + std::exp(-v)); };
  const auto hard_sigmoid = [](double v) { return std::clamp(v + 3.0, 0.0, 6.0) / 6.0; };
  switch (kind) {
    case arch::ActivationKind::Relu: return std::max(x, 0.0);
    case arch::ActivationKind::Relu6: return std::clamp(x, 0.0, 6.0);
    case arch::ActivationKind::Silu: return x * sigmoid(x);
    case arch::ActivationKind::Sigmoid: return sigmoid(x);
    case arch::ActivationKind::HardSwish: return x * hard_sigmoid(x);
    case arch::ActivationKind::HardSigmoid: return hard_sigmoid(x);
    case arch::ActivationKind::Tanh: return std::tanh(x);
  }
  throw core::Error("activation kind outside its enumeration");
}

int32_t nearest(double value, const TensorQuant& q) {
  return static_cast<int32_t>(
      std::clamp(std::round(value / q.scale) + q.zero_point, double(q.low()), double(q.high())));
}

int64_t softmax_terms(const arch::SoftmaxMul& op, const arch::Shape& in) {
  return op.axis == arch::SoftmaxAxis::Channels ? in.c : in.h * in.w;
}

std::vector<uint16_t> exponential_table(double scale) {
  std::vector<uint16_t> table;
  table.reserve(256);
  for (int d = 0; d <= 255; ++d) table.push_back(static_cast<uint16_t>(std::lround(65535.0 * std::exp(-scale * d))));
  return table;
}

// [out, in/groups, kh, kw] -> [out, kh, kw, in/groups]
std::vector<int8_t> to_ohwi(std::span<const int8_t> weights, const arch::Conv2d& op, int64_t group_in) {
  std::vector<int8_t> result(weights.size());
  const int64_t area = int64_t{op.kernel.h} * op.kernel.w;
  for (int64_t o = 0; o < op.out; ++o) {
    for (int64_t i = 0; i < group_in; ++i) {
      for (int64_t k = 0; k < area; ++k) {
        result[static_cast<size_t>((o * area + k) * group_in + i)] =
            weights[static_cast<size_t>((o * group_in + i) * area + k)];
      }
    }
  }
  return result;
}

}  // namespace condenser::runtime::parts
