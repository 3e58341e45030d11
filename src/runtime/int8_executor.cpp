// Walks an Int8Program and calls the kernels that are shipped, in an arena of exactly the planned size.
#include "condenser/runtime/int8_executor.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/kernel_params.hpp"

namespace condenser::runtime {
namespace {

struct Buffers {
  std::array<const int8_t*, arch::kMaxInputs> in{};
  int8_t* out = nullptr;
};

void run_conv(const ConvStep& s, const Buffers& buffers) {
  const ChannelConstants& c = s.channels;
  switch (s.kernel) {
    case ConvKernel::General: {
      const cnd_conv2d_params p = conv2d_params(s);
      return cnd_conv2d(&p, s.weights.data(), c.bias.data(), c.multiplier.data(), c.shift.data(), buffers.in[0],
                        buffers.out);
    }
    case ConvKernel::Depthwise: {
      const cnd_depthwise_params p = depthwise_params(s);
      return cnd_depthwise(&p, s.weights.data(), c.bias.data(), c.multiplier.data(), c.shift.data(), buffers.in[0],
                           buffers.out);
    }
    case ConvKernel::Pointwise: {
      const cnd_pointwise_params p = pointwise_params(s);
      return cnd_pointwise(&p, s.weights.data(), c.bias.data(), c.multiplier.data(), c.shift.data(), buffers.in[0],
                           buffers.out);
    }
  }
}

void run_step(const Step& step, const Buffers& buffers) {
  std::visit(arch::Overloaded{
                 [](const InputStep&) {},
                 [&](const ConvStep& s) { run_conv(s, buffers); },
                 [&](const LinearStep& s) {
                   const cnd_linear_params p = linear_params(s);
                   cnd_linear(&p, s.weights.data(), s.channels.bias.data(), s.channels.multiplier.data(),
                              s.channels.shift.data(), buffers.in[0], buffers.out);
                 },
                 [&](const AvgPoolStep& s) {
                   const cnd_avg_pool_params p = avg_pool_params(s);
                   cnd_avg_pool(&p, buffers.in[0], buffers.out);
                 },
                 [&](const MaxPoolStep& s) {
                   const cnd_max_pool_params p = max_pool_params(s);
                   cnd_max_pool(&p, buffers.in[0], buffers.out);
                 },
                 [&](const GlobalAvgPoolStep& s) {
                   cnd_global_avg_pool(static_cast<int32_t>(s.in.h * s.in.w), static_cast<int32_t>(s.in.c),
                                       buffers.in[0], buffers.out);
                 },
                 [&](const AddStep& s) {
                   const cnd_add_params p = add_params(s);
                   cnd_add(&p, buffers.in[0], buffers.in[1], buffers.out);
                 },
                 [&](const ActivationStep& s) { cnd_activation(s.table.data(), s.count, buffers.in[0], buffers.out); },
                 [&](const SoftmaxMulStep& s) {
                   const cnd_softmax_mul_params p = softmax_mul_params(s);
                   cnd_softmax_mul(&p, s.table.data(), buffers.in[0], buffers.in[1], buffers.out);
                 },
                 [&](const MulStep& s) {
                   const cnd_mul_params p = mul_params(s);
                   cnd_mul(&p, buffers.in[0], buffers.in[1], buffers.out);
                 },
                 [&](const PReluStep& s) {
                   const cnd_prelu_params p = prelu_params(s);
                   cnd_prelu(&p, s.slope.data(), buffers.in[0], buffers.out);
                 },
                 [&](const BlurPoolStep& s) {
                   const cnd_blur_pool_params p = blur_pool_params(s);
                   cnd_blur_pool(&p, buffers.in[0], buffers.out);
                 },
                 [&](const UpsampleStep& s) {
                   const cnd_upsample_params p = upsample_params(s);
                   cnd_upsample(&p, buffers.in[0], buffers.out);
                 },
                 [&](const ConcatStep& s) {
                   for (size_t k = 0; k < s.parts.size(); ++k) {
                     const cnd_concat_params p = concat_params(s, s.parts[k]);
                     cnd_concat(&p, buffers.in[k], buffers.out);
                   }
                 },
                 [&](const SliceStep& s) {
                   const cnd_slice_params p = slice_params(s);
                   cnd_slice(&p, buffers.in[0], buffers.out);
                 },
                 [&](const ChannelShuffleStep& s) {
                   const cnd_channel_shuffle_params p = channel_shuffle_params(s);
                   cnd_channel_shuffle(&p, buffers.in[0], buffers.out);
                 },
             },
             step);
}

}  // namespace

Int8Executor::Int8Executor(Int8Program program)
    : program_(std::move(program)), arena_(static_cast<size_t>(program_.plan.peak_bytes)) {}

std::span<const int8_t> Int8Executor::run(std::span<const int8_t> input, const Tap& tap) {
  const auto& nodes = program_.spec.nodes;
  const auto at = [&](int node) { return arena_.data() + program_.plan.offset[static_cast<size_t>(node)]; };
  const auto values = [&](size_t node) {
    const int64_t count = program_.analysis.nodes[node].shape.elements();
    return std::span<const int8_t>(at(static_cast<int>(node)), static_cast<size_t>(count));
  };
  if (input.size() != values(0).size())
    throw core::Error("int8 input of network '" + program_.spec.name + "' has " + std::to_string(input.size()) +
                      " values; expected " + std::to_string(values(0).size()));
  std::ranges::copy(input, at(0));
  for (size_t i = 0; i < nodes.size(); ++i) {
    const arch::Inputs& inputs = nodes[i].inputs;
    Buffers buffers;
    buffers.out = at(static_cast<int>(i));
    for (size_t k = 0; k < inputs.size(); ++k) buffers.in[k] = at(inputs[k]);
    run_step(program_.steps[i], buffers);
    if (tap) tap(static_cast<int>(i), values(i));
  }
  const arch::Spec& spec = program_.spec;
  if (spec.output_count() == 1) return values(static_cast<size_t>(spec.output()));
  results_.clear();
  for (size_t k = 0; k < spec.output_count(); ++k) {
    const std::span<const int8_t> output = values(static_cast<size_t>(spec.output(k)));
    results_.insert(results_.end(), output.begin(), output.end());
  }
  return results_;
}

void Int8Executor::quantize_input(std::span<const float> chw, std::span<int8_t> hwc) const {
  const arch::Shape& shape = program_.spec.input;
  const auto count = static_cast<size_t>(shape.elements());
  if (chw.size() != count || hwc.size() != count)
    throw core::Error("input of network '" + program_.spec.name + "': " + std::to_string(chw.size()) + " floats for " +
                      std::to_string(hwc.size()) + " integers; expected " + std::to_string(count) + " of both");
  const TensorQuant& quant = program_.input_quant();
  const auto pixels = static_cast<size_t>(shape.h * shape.w);
  const auto channels = static_cast<size_t>(shape.c);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < pixels; ++p) {
      const double q = std::round(double{chw[c * pixels + p]} / quant.scale) + quant.zero_point;
      // Not a number becomes -128: fmax ignores it.
      hwc[p * channels + c] = static_cast<int8_t>(std::fmin(std::fmax(q, -128.0), 127.0));
    }
  }
}

}  // namespace condenser::runtime
