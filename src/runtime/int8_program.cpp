// build_program(): scales to multipliers, floats to tables, weights to the layout of the kernels. Every promise that a
// kernel asks of its caller is checked here.
#include "condenser/runtime/int8_program.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "runtime/fixed_point.hpp"

namespace condenser::runtime {
namespace {

constexpr int64_t kMaxMeanPixels = (int64_t{1} << 24) - 1;  // 128 times that, and half of it, fit 32 bits
constexpr int64_t kMaxSoftmaxTerms = 65536;                 // the sum of 16-bit exponentials fits 32 bits

template <class Pool>
std::string pool_refusal(const Pool& pool) {
  const bool fits = pool.pad.top < pool.kernel.h && pool.pad.bottom < pool.kernel.h && pool.pad.left < pool.kernel.w &&
                    pool.pad.right < pool.kernel.w;
  if (!fits) return "padding reaches the size of the kernel, so that a window may hold no pixel";
  if (int64_t{pool.kernel.h} * pool.kernel.w > kMaxMeanPixels) return "a window of more than 16,777,215 pixels";
  return "";
}

int32_t narrow(int64_t value) { return static_cast<int32_t>(value); }  // sizes are below kMaxElements = 2^28

int32_t clamp_to_int8(double value) { return static_cast<int32_t>(std::clamp(value, -128.0, 127.0)); }

OutputRange output_range(const TensorQuant& output, arch::Clamp clamp) {
  OutputRange range{output.zero_point, -128, 127};
  if (clamp != arch::Clamp::None) range.low = output.zero_point;
  if (clamp == arch::Clamp::Relu6) range.high = clamp_to_int8(output.zero_point + std::round(6.0 / output.scale));
  return range;
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

// `function` of every input, in output integers.
template <class Function>
std::vector<int8_t> function_table(const Function& function, const TensorQuant& in, const TensorQuant& out) {
  std::vector<int8_t> table;
  table.reserve(256);
  for (int q = -128; q <= 127; ++q) {
    const double y = function(in.scale * (q - in.zero_point));
    table.push_back(static_cast<int8_t>(clamp_to_int8(std::round(y / out.scale) + out.zero_point)));
  }
  return table;
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

// [out, 1, kh, kw] -> [kh, kw, out]
std::vector<int8_t> to_hwo(std::span<const int8_t> weights, const arch::Conv2d& op) {
  std::vector<int8_t> result(weights.size());
  const int64_t area = int64_t{op.kernel.h} * op.kernel.w;
  for (int64_t o = 0; o < op.out; ++o) {
    for (int64_t k = 0; k < area; ++k)
      result[static_cast<size_t>(k * op.out + o)] = weights[static_cast<size_t>(o * area + k)];
  }
  return result;
}

ConvKernel choose_kernel(const arch::Conv2d& op, const arch::Shape& in) {
  const bool pointwise = op.kernel == arch::Size{1, 1} && op.stride == arch::Size{1, 1} && op.pad == arch::Pad{};
  if (pointwise && op.groups == 1) return ConvKernel::Pointwise;
  return arch::depthwise(op, in) ? ConvKernel::Depthwise : ConvKernel::General;
}

class ProgramBuilder {
 public:
  ProgramBuilder(const arch::Spec& spec, const arch::Weights& weights, const QuantParams& quant)
      : weights_(weights), program_{spec, arch::analyze(spec), {}, quant, {}} {}

  Int8Program build() {
    check_quantized(program_.spec, weights_, program_.quant);
    program_.plan = arch::plan_memory(program_.spec, program_.analysis);
    for (size_t i = 0; i < program_.spec.nodes.size(); ++i) {
      const arch::Node& node = program_.spec.nodes[i];
      if (program_.plan.offset[i] < 0) throw arch::SpecError(node.name, "is read by nobody; lower() the Spec first");
      std::vector<arch::Shape> inputs;
      for (const int input : node.inputs) inputs.push_back(shape(input));
      const std::string refusal = int8_refusal(node.op, inputs);
      if (!refusal.empty()) throw arch::SpecError(node.name, "no int8 form: " + refusal);
      program_.steps.push_back(make_step(node));
    }
    check_trails();
    return std::move(program_);
  }

 private:
  const arch::Shape& shape(int node) const { return program_.analysis.node(node).shape; }
  const arch::Shape& shape(const arch::Node& node) const {
    return shape(static_cast<int>(&node - program_.spec.nodes.data()));
  }
  const TensorQuant& input_quant(const arch::Node& node, size_t k) const {
    return program_.quant.nodes.at(program_.spec.node(node.inputs[k]).name).output;
  }
  const TensorQuant& output_quant(const arch::Node& node) const { return program_.quant.nodes.at(node.name).output; }

  // An output over its input: only where the kernel allows it, and from as far below as it asks.
  void check_trails() const {
    const std::vector<int64_t>& offset = program_.plan.offset;
    for (const arch::Trail& trail : program_.plan.trails) {
      const size_t i = static_cast<size_t>(trail.node);
      const auto* conv = std::get_if<ConvStep>(&program_.steps[i]);
      const bool depthwise = conv != nullptr && conv->kernel == ConvKernel::Depthwise;
      const auto pixels = depthwise ? arch::trail_pixels(conv->op, conv->in, conv->out) : std::nullopt;
      if (!pixels || offset[static_cast<size_t>(trail.input)] - offset[i] < *pixels * conv->in.c)
        throw arch::SpecError(program_.spec.nodes[i].name, "its memory plan overwrites an input that it still reads");
    }
  }

  Step make_step(const arch::Node& node) {
    const auto in = [&] { return shape(node.inputs[0]); };
    return arch::visit(node.op, arch::Overloaded{
                                    [](const arch::Input&) -> Step { return InputStep{}; },
                                    [&](const arch::Conv2d& op) -> Step { return conv(node, op); },
                                    [&](const arch::BatchNorm&) -> Step { return refused(node); },
                                    [&](const arch::Activation& op) -> Step {
                                      return table(node, [&](double x) { return activate(op.kind, x); });
                                    },
                                    [&](const arch::Softmax&) -> Step { return refused(node); },
                                    [&](const arch::SoftmaxMul& op) -> Step { return softmax_mul(node, op); },
                                    [&](const arch::AvgPool& op) -> Step {
                                      return AvgPoolStep{op, in(), shape(node), output_quant(node).zero_point};
                                    },
                                    [&](const arch::MaxPool& op) -> Step {
                                      return MaxPoolStep{op, in(), shape(node)};
                                    },
                                    [&](const arch::GlobalAvgPool&) -> Step { return GlobalAvgPoolStep{in()}; },
                                    [&](const arch::Linear& op) -> Step { return linear(node, op); },
                                    [&](const arch::Add& op) -> Step { return add(node, op); },
                                    [&](const arch::Mul&) -> Step { return mul(node); },
                                    [&](const arch::PRelu&) -> Step { return prelu(node); },
                                    [&](const arch::Scale&) -> Step {
                                      const double factor = weights_.at(node.name + ".weight").f32()[0];
                                      return table(node, [&](double x) { return factor * x; });
                                    },
                                    [&](const arch::BlurPool& op) -> Step {
                                      return BlurPoolStep{op, in(), shape(node)};
                                    },
                                    [&](const arch::Upsample&) -> Step {
                                      return UpsampleStep{in(), shape(node)};
                                    },
                                    [&](const arch::Concat&) -> Step { return concat(node); },
                                    [&](const arch::Slice& op) -> Step {
                                      return SliceStep{op, in()};
                                    },
                                    [&](const arch::ChannelShuffle& op) -> Step {
                                      return ChannelShuffleStep{op, in()};
                                    },
                                });
  }

  // Unreachable: int8_refusal() has named these operators.
  static Step refused(const arch::Node& node) { throw arch::SpecError(node.name, "no int8 form"); }

  ConvStep conv(const arch::Node& node, const arch::Conv2d& op) {
    const std::span<const int8_t> weights = weights_.at(node.name + ".weight").i8();
    ConvStep step;
    step.in = shape(node.inputs[0]);
    step.out = shape(node);
    step.op = op;
    step.kernel = choose_kernel(op, step.in);
    step.input_zero_point = input_quant(node, 0).zero_point;
    step.range = output_range(output_quant(node), op.clamp);
    step.weights =
        step.kernel == ConvKernel::Depthwise ? to_hwo(weights, op) : to_ohwi(weights, op, step.in.c / op.groups);
    step.channels = channels(node, weights, op.out);
    return step;
  }

  LinearStep linear(const arch::Node& node, const arch::Linear& op) {
    const std::span<const int8_t> weights = weights_.at(node.name + ".weight").i8();
    LinearStep step;
    step.in = narrow(shape(node.inputs[0]).c);
    step.out = op.out;
    step.input_zero_point = input_quant(node, 0).zero_point;
    step.range = output_range(output_quant(node), op.clamp);
    step.weights.assign(weights.begin(), weights.end());
    step.channels = channels(node, weights, op.out);
    return step;
  }

  // Biases, multipliers and shifts; `weights` is [out, ...] in the order of the file.
  ChannelConstants channels(const arch::Node& node, std::span<const int8_t> weights, int64_t out) {
    const TensorQuant& in = input_quant(node, 0);
    const double out_scale = output_quant(node).scale;
    const std::vector<double>& scales = program_.quant.nodes.at(node.name).weight_scales;
    ChannelConstants result;
    result.bias.assign(static_cast<size_t>(out), 0);
    if (const auto bias = weights_.tensors.find(node.name + ".bias"); bias != weights_.tensors.end())
      std::ranges::copy(bias->second.i32(), result.bias.begin());
    const size_t row = weights.size() / static_cast<size_t>(out);
    for (size_t o = 0; o < static_cast<size_t>(out); ++o) {
      const std::string where = "node " + node.name + ", channel " + std::to_string(o);
      check_sum(where, weights.subspan(o * row, row), result.bias[o], in.zero_point);
      const Requant requant = quantize_multiplier(in.scale * scales[o] / out_scale, where);
      result.multiplier.push_back(requant.multiplier);
      result.shift.push_back(static_cast<int8_t>(requant.shift));
    }
    return result;
  }

  // No partial sum can leave 32 bits, whatever the input and the order of the products.
  static void check_sum(const std::string& where, std::span<const int8_t> weights, int32_t bias, int zero_point) {
    int64_t magnitude = 0;
    for (const int8_t w : weights) magnitude += std::abs(int{w});
    const int64_t largest = std::abs(int64_t{bias}) + magnitude * std::max(127 - zero_point, zero_point + 128);
    if (largest <= INT32_MAX) return;
    throw core::Error(where + ": a sum may reach " + std::to_string(largest) +
                      "; expected at most 2147483647, the range of the 32-bit accumulator");
  }

  // TFLite's form: both inputs relative to twice the larger scale, their sum relative to the output's scale.
  AddStep add(const arch::Node& node, const arch::Add& op) {
    const TensorQuant& a = input_quant(node, 0);
    const TensorQuant& b = input_quant(node, 1);
    const TensorQuant& out = output_quant(node);
    const double twice_larger = 2.0 * std::max(a.scale, b.scale);
    const std::string where = "node " + node.name;
    AddStep step;
    step.count = narrow(shape(node).elements());
    step.a_zero_point = a.zero_point;
    step.b_zero_point = b.zero_point;
    step.a = quantize_multiplier(a.scale / twice_larger, where);
    step.b = quantize_multiplier(b.scale / twice_larger, where);
    step.out = quantize_multiplier(twice_larger / (1048576.0 * out.scale), where);
    if (step.out.shift > 0)
      throw core::Error(where + ": output scale " + core::number(out.scale) +
                        " is below 2^-19 of its inputs' scales; quantize again");
    step.range = output_range(out, op.clamp);
    return step;
  }

  template <class Function>
  ActivationStep table(const arch::Node& node, const Function& function) const {
    return {narrow(shape(node).elements()), function_table(function, input_quant(node, 0), output_quant(node))};
  }

  MulStep mul(const arch::Node& node) const {
    const TensorQuant &a = input_quant(node, 0), &b = input_quant(node, 1), &out = output_quant(node);
    const Requant requant = quantize_multiplier(a.scale * b.scale / out.scale, "node " + node.name);
    return {shape(node.inputs[0]), shape(node.inputs[1]), shape(node), a.zero_point,
            b.zero_point,          out.zero_point,        requant};
  }

  PReluStep prelu(const arch::Node& node) const {
    const TensorQuant &in = input_quant(node, 0), &out = output_quant(node);
    const double slope_scale = program_.quant.nodes.at(node.name).weight_scales.at(0);
    const std::span<const int8_t> slope = weights_.at(node.name + ".weight").i8();
    const std::string where = "node " + node.name;
    PReluStep step;
    step.pixels = narrow(shape(node).h * shape(node).w);
    step.channels = narrow(shape(node).c);
    step.input_zero_point = in.zero_point;
    step.output_zero_point = out.zero_point;
    step.positive = quantize_multiplier(in.scale / out.scale, where);
    step.negative = quantize_multiplier(in.scale * slope_scale / out.scale, where);
    step.slope.assign(slope.begin(), slope.end());
    return step;
  }

  ConcatStep concat(const arch::Node& node) const {
    const TensorQuant& out = output_quant(node);
    ConcatStep step{narrow(shape(node).h * shape(node).w), narrow(shape(node).c), out.zero_point, {}};
    int32_t first = 0;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const TensorQuant& in = input_quant(node, k);
      const int32_t channels = narrow(shape(node.inputs[k]).c);
      const Requant requant = quantize_multiplier(in.scale / out.scale, "node " + node.name);
      step.parts.push_back({channels, first, in == out, in.zero_point, requant});
      first += channels;
    }
    return step;
  }

  SoftmaxMulStep softmax_mul(const arch::Node& node, const arch::SoftmaxMul& op) {
    const arch::Shape& in = shape(node.inputs[0]);
    const TensorQuant& value = input_quant(node, 1);
    const TensorQuant& out = output_quant(node);
    const double rescale = op.rescale ? static_cast<double>(softmax_terms(op, in)) : 1.0;
    return {narrow(in.h * in.w),
            narrow(in.c),
            op.axis,
            value.zero_point,
            out.zero_point,
            quantize_gain(rescale * value.scale / out.scale, "node " + node.name),
            exponential_table(input_quant(node, 0).scale)};
  }

  const arch::Weights& weights_;
  Int8Program program_;
};

}  // namespace

std::string int8_refusal(const arch::Op& op, const std::vector<arch::Shape>& inputs) {
  return arch::visit(
      op,
      arch::Overloaded{
          [](const arch::Input&) -> std::string { return ""; },
          [](const arch::Conv2d&) -> std::string { return ""; },
          [](const arch::BatchNorm&) -> std::string { return "batch norm is folded by lower(); lower the Spec first"; },
          [](const arch::Activation&) -> std::string { return ""; },
          [](const arch::Softmax&) -> std::string {
            return "a softmax outside softmax_mul would squeeze probabilities of mean 1/terms into 8 bits";
          },
          [&](const arch::SoftmaxMul& op) -> std::string {
            const char* terms = op.axis == arch::SoftmaxAxis::Channels ? "channels" : "pixels";
            return softmax_terms(op, inputs[0]) <= kMaxSoftmaxTerms
                       ? ""
                       : std::string("a softmax over more than 65,536 ") + terms;
          },
          [](const arch::AvgPool& op) { return pool_refusal(op); },
          [](const arch::MaxPool& op) { return pool_refusal(op); },
          [&](const arch::GlobalAvgPool&) -> std::string {
            return inputs[0].h * inputs[0].w > kMaxMeanPixels ? "a mean over more than 16,777,215 pixels" : "";
          },
          [](const arch::Linear&) -> std::string { return ""; },
          [](const arch::Add&) -> std::string { return ""; },
          [](const arch::Mul&) -> std::string { return ""; },
          [](const arch::PRelu&) -> std::string { return ""; },
          [](const arch::Scale&) -> std::string { return ""; },
          [](const arch::BlurPool&) -> std::string { return ""; },
          [](const arch::Upsample&) -> std::string { return ""; },
          [](const arch::Concat&) -> std::string { return ""; },
          [](const arch::Slice&) -> std::string { return ""; },
          [](const arch::ChannelShuffle&) -> std::string { return ""; },
      });
}

int64_t Int8Program::output_values() const {
  int64_t values = 0;
  for (size_t k = 0; k < spec.output_count(); ++k) values += output_shape(k).elements();
  return values;
}

Int8Program build_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant) {
  arch::validate(lowered);
  return ProgramBuilder(lowered, weights, quant).build();
}

}  // namespace condenser::runtime
