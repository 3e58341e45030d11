// A Spec as LibTorch calls on planes (contiguous tensors). With own kernels, the steps of fuse_plan run in fused.cpp
// and some operators in functions.cpp; everything else is one library call per node.
#include "condenser/nn/spec_net.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/add.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/channel_shuffle.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/div.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <limits>

#include "condenser/arch/analysis.hpp"
#include "condenser/nn/fake_quant.hpp"
#include "nn/functions.hpp"
#include "nn/fuse_plan.hpp"
#include "nn/fused.hpp"

namespace condenser::nn {

namespace {

at::Tensor activate(arch::ActivationKind kind, const at::Tensor& x) {
  switch (kind) {
    case arch::ActivationKind::Relu: return at::relu(x);
    case arch::ActivationKind::Relu6: return at::clamp(x, 0.0, 6.0);
    case arch::ActivationKind::Silu: return at::silu(x);
    case arch::ActivationKind::Sigmoid: return at::sigmoid(x);
    case arch::ActivationKind::HardSwish: return at::hardswish(x);
    case arch::ActivationKind::HardSigmoid: return at::hardsigmoid(x);
    case arch::ActivationKind::Tanh: return at::tanh(x);
  }
  throw core::Error("unknown activation");
}

// In place: only for a value that was just made.
at::Tensor clamp(arch::Clamp clamp, at::Tensor x) {
  switch (clamp) {
    case arch::Clamp::None: return x;
    case arch::Clamp::Relu: return at::relu_(x);
    case arch::Clamp::Relu6: return at::clamp_(x, 0.0, 6.0);
  }
  throw core::Error("unknown clamp");
}

bool symmetric(const arch::Pad& pad) { return pad.top == pad.bottom && pad.left == pad.right; }

at::Tensor pad_with(const at::Tensor& x, const arch::Pad& pad, double value) {
  return at::constant_pad_nd(x, {pad.left, pad.right, pad.top, pad.bottom}, value);
}

at::Tensor library_convolution(const arch::Conv2d& op, const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias) {
  const bool simple = symmetric(op.pad);
  const std::vector<int64_t> stride{op.stride.h, op.stride.w}, none{0, 0}, one{1, 1};
  const std::vector<int64_t> pad{op.pad.top, op.pad.left};
  return clamp(op.clamp, at::conv2d(simple ? x : pad_with(x, op.pad, 0.0), weight, bias, stride, simple ? pad : none,
                                    one, op.groups));
}

at::Tensor fully_connected(const arch::Linear& op, Kernels kernels, const at::Tensor& x, const at::Tensor& weight,
                           const at::Tensor& bias) {
  const at::Tensor rows = x.flatten(1);
  const at::Tensor y = kernels == Kernels::Own ? nn::linear(rows, weight, bias) : at::linear(rows, weight, bias);
  return clamp(op.clamp, y).view({y.size(0), y.size(1), 1, 1});
}

at::Tensor own_convolution(const arch::Conv2d& op, const ConvPlan& plan, const at::Tensor& x, const at::Tensor& weight,
                           const at::Tensor& bias) {
  const bool matrix = plan->direct && op.groups == 1 && x.size(2) * x.size(3) == 1;  // as squeeze-excite has it
  if (!matrix) return clamp(op.clamp, convolution(plan, x, weight, bias));
  return fully_connected({.clamp = op.clamp}, Kernels::Own, x, weight.flatten(1), bias);
}

// The library's pooling takes only symmetric padding of at most half the kernel.
template <class Pool>
bool library_padding(const Pool& op) {
  return symmetric(op.pad) && 2 * op.pad.top <= op.kernel.h && 2 * op.pad.left <= op.kernel.w;
}

at::Tensor library_average_pool(const arch::AvgPool& op, const at::Tensor& x) {
  const std::vector<int64_t> kernel{op.kernel.h, op.kernel.w}, stride{op.stride.h, op.stride.w};
  if (library_padding(op))
    return at::avg_pool2d(x, kernel, stride, {op.pad.top, op.pad.left}, /*ceil_mode=*/false, op.count_include_pad);
  const at::Tensor padded = at::avg_pool2d(pad_with(x, op.pad, 0.0), kernel, stride);
  if (op.count_include_pad) return padded;
  // Share of each window that lies inside the image.
  const at::Tensor inside =
      at::avg_pool2d(pad_with(at::ones({1, 1, x.size(2), x.size(3)}, x.options()), op.pad, 0.0), kernel, stride);
  return at::div(padded, inside);
}

at::Tensor average_pool(const arch::AvgPool& op, Kernels kernels, const at::Tensor& x) {
  const bool halving = op.kernel == arch::square(2) && op.stride == op.kernel && op.pad == arch::Pad{};
  return kernels == Kernels::Own && halving ? halve(x) : library_average_pool(op, x);
}

at::Tensor library_max_pool(const arch::MaxPool& op, const at::Tensor& x) {
  const std::vector<int64_t> kernel{op.kernel.h, op.kernel.w}, stride{op.stride.h, op.stride.w};
  if (library_padding(op)) return at::max_pool2d(x, kernel, stride, {op.pad.top, op.pad.left});
  return at::max_pool2d(pad_with(x, op.pad, -std::numeric_limits<double>::infinity()), kernel, stride);
}

// The library's softmax would copy channels-last values to planes, unless their last axis is the one it runs along.
at::Tensor softmax_of_channels(const at::Tensor& x) {
  if (x.is_contiguous()) return at::softmax(x, 1);
  return at::softmax(x.permute({0, 2, 3, 1}), 3).permute({0, 3, 1, 2});
}

template <class SoftmaxLike>  // Softmax, SoftmaxMul
at::Tensor softmax(const SoftmaxLike& op, const at::Tensor& x) {
  const bool channels = op.axis == arch::SoftmaxAxis::Channels;
  const at::Tensor y = channels ? softmax_of_channels(x) : at::softmax(x.flatten(2), 2).view(x.sizes());
  return op.rescale ? at::mul(y, static_cast<double>(channels ? x.size(1) : x.size(2) * x.size(3))) : y;
}

// Planes times one factor each have a kernel.
at::Tensor own_product(const at::Tensor& a, const at::Tensor& b) {
  const auto factors = [](const at::Tensor& t, const at::Tensor& planes) {
    return t.size(2) == 1 && t.size(3) == 1 && planes.size(2) * planes.size(3) > 1;
  };
  if (factors(b, a)) return scale_planes(a, b);
  if (factors(a, b)) return scale_planes(b, a);
  return at::mul(a, b);
}

// The mirror has to be made beforehand: convolution pads with zeros only.
at::Tensor blur_filter(const arch::BlurPool& op) {
  const at::Tensor row = op.taps == 3 ? at::tensor({1.0f, 2.0f, 1.0f}) : at::tensor({1.0f, 4.0f, 6.0f, 4.0f, 1.0f});
  return at::div(at::mul(row.view({-1, 1}), row.view({1, -1})), op.taps == 3 ? 16.0 : 256.0);
}

at::Tensor blur_pool(const arch::BlurPool& op, const at::Tensor& x, const at::Tensor& filter) {
  const int64_t half = op.taps / 2, channels = x.size(1);
  return at::conv2d(at::reflection_pad2d(x, {half, half, half, half}),
                    filter.to(x.scalar_type()).expand({channels, 1, op.taps, op.taps}).contiguous(), {},
                    std::vector<int64_t>{op.stride.h, op.stride.w}, std::vector<int64_t>{0, 0},
                    std::vector<int64_t>{1, 1}, channels);
}

// Integers, because the library's own up-sampling finds its pixels with a float scale that is off by one at some sizes.
at::Tensor nearest(int64_t in, int64_t out) {
  std::vector<int64_t> from(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) from[static_cast<size_t>(i)] = i * in / out;
  return at::tensor(from, at::dtype(at::kLong));
}

}  // namespace

Kernels fastest_kernels(at::Device device) { return device.is_cpu() ? Kernels::Own : Kernels::Library; }

SpecNet::SpecNet(const arch::Spec& spec, const arch::Weights& weights, Kernels kernels, at::Device device,
                 at::ScalarType type)
    : spec_(spec),
      layout_(block_layout(spec)),
      kernels_(kernels),
      device_(device),
      params_(spec.nodes.size()),
      convolutions_(spec.nodes.size()) {
  arch::validate(spec_);
  const arch::Analysis analysis = arch::analyze(spec_);
  if (kernels == Kernels::Own && fastest_kernels(device) != Kernels::Own)
    throw core::Error("the own kernels run on the processor only");
  if (kernels == Kernels::Own && type != at::kFloat) throw core::Error("the own kernels know float32 only");
  block_ = at::zeros({layout_.size});
  copy_to_block(spec_, layout_, weights, values());
  block_ = block_.to(device, type);
  gradient_block_ = at::zeros({layout_.trainable_size}, block_.options());
  for (const auto& segment : layout_.segments) {
    const auto dot = segment.name.find('.');
    const int node = arch::find_node(spec_, segment.name.substr(0, dot));
    at::Tensor value = block_.narrow(0, segment.offset, segment.size).view(segment.shape);
    if (segment.trainable) {
      value = value.detach().set_requires_grad(true);
      value.mutable_grad() = gradient_block_.narrow(0, segment.offset, segment.size).view(segment.shape);
    }
    params_[static_cast<size_t>(node)][segment.name.substr(dot + 1)] = value;
  }
  steps_ = kernels == Kernels::Own ? fused_steps(spec_) : plain_steps(spec_);
  for (size_t i = 0; kernels == Kernels::Own && i < spec_.nodes.size(); ++i) {
    const auto* conv = std::get_if<arch::Conv2d>(&spec_.nodes[i].op);
    if (conv == nullptr) continue;
    const arch::Shape& input = analysis.node(spec_.nodes[i].inputs[0]).shape;
    convolutions_[i] = std::make_shared<const ConvGeometry>(conv_geometry(input, *conv));
  }
}

SpecNet::~SpecNet() = default;

void SpecNet::freeze(at::Device device, at::MemoryFormat layout) {
  const at::NoGradGuard no_gradients;
  for (auto& params : params_)
    for (auto& [name, value] : params) {
      const bool kernel = value.dim() == 4;
      value = value.detach().to(device).contiguous(kernel ? layout : at::MemoryFormat::Contiguous);
    }
  block_.reset();
  gradient_block_.reset();
  device_ = device;
  constants_.clear();
}

std::span<float> SpecNet::values() { return {block_.mutable_data_ptr<float>(), static_cast<size_t>(layout_.size)}; }

std::span<float> SpecNet::gradients() {
  return {gradient_block_.mutable_data_ptr<float>(), static_cast<size_t>(layout_.trainable_size)};
}

std::vector<at::Tensor> SpecNet::parameters() const {
  std::vector<at::Tensor> out;
  for (const auto& segment : layout_.segments) {
    if (!segment.trainable) continue;
    const auto dot = segment.name.find('.');
    const int node = arch::find_node(spec_, segment.name.substr(0, dot));
    out.push_back(params_[static_cast<size_t>(node)].at(segment.name.substr(dot + 1)));
  }
  return out;
}

void SpecNet::synchronize(SumOverRanks over_ranks) {
  if (kernels_ != Kernels::Own) throw core::Error("synchronized batch norm needs the own kernels");
  over_ranks_ = std::move(over_ranks);
}

void SpecNet::round_as(const runtime::QuantParams& ranges) {
  if (!device_.is_cpu()) throw core::Error("a network is trained in its int8 form on the processor only");
  rounding_ = std::make_unique<FakeQuant>(spec_, ranges);
  steps_ = plain_steps(spec_);  // every value is rounded
}

arch::Weights SpecNet::weights() const {
  const at::Tensor block = block_.cpu();
  return copy_from_block(layout_, {block.const_data_ptr<float>(), static_cast<size_t>(layout_.size)});
}

// Copying a constant to a device waits for it, and cannot be recorded: once is enough.
template <class Make>
const at::Tensor& SpecNet::constant(int node, size_t which, const Make& make) const {
  at::Tensor& value = constants_[{node, which}];
  const c10::InferenceMode usable_in_training(false);
  if (!value.defined()) value = make().to(device_);
  return value;
}

at::Tensor SpecNet::forward(const at::Tensor& x, Mode mode, const Watch& watch) {
  arch::sole_output(spec_, "what was asked for");
  return forward_all(x, mode, watch).front();
}

std::vector<at::Tensor> SpecNet::forward_all(const at::Tensor& x, Mode mode, const Watch& watch) {
  if (x.dim() != 4 || x.size(1) != spec_.input.c || x.size(2) != spec_.input.h || x.size(3) != spec_.input.w)
    throw core::Error("network " + spec_.name + ": input batch does not have the shape n x " +
                      arch::to_string(spec_.input));
  std::vector<at::Tensor> outputs(spec_.nodes.size());
  outputs[0] = kernels_ == Kernels::Own ? x.contiguous() : x;  // the library's calls take any layout
  if (rounding_) {
    rounding_->run(weights(), x);
    outputs[0] = rounding_->value(0, outputs[0]);
  }
  for (const auto& step : steps_) {
    const auto output = static_cast<size_t>(step.output);
    outputs[output] = run(step, outputs, mode == Mode::Training);
    if (rounding_) outputs[output] = rounding_->value(step.output, outputs[output]);
    if (watch) watch(spec_.nodes[output], outputs[output]);
    for (int done : step.last_uses) outputs[static_cast<size_t>(done)].reset();
  }
  std::vector<at::Tensor> results;
  for (size_t k = 0; k < spec_.output_count(); ++k) results.push_back(outputs[static_cast<size_t>(spec_.output(k))]);
  return results;
}

at::Tensor SpecNet::run(const Step& step, const Values& values, bool training) const {
  return step.fused ? run_fused(step, values, training) : run_alone(step.output, values, training);
}

at::Tensor SpecNet::run_fused(const Step& step, const Values& values, bool training) const {
  const auto operand = [&](size_t i, int norm) {
    FusedInput in{.x = values[static_cast<size_t>(step.inputs[i])]};
    if (norm < 0) return in;
    const auto& bn = std::get<arch::BatchNorm>(spec_.node(norm).op);
    in.gamma = parameter(norm, "weight");
    in.beta = parameter(norm, "bias");
    in.running_mean = parameter(norm, "running_mean");
    in.running_var = parameter(norm, "running_var");
    in.eps = bn.eps;
    in.momentum = bn.momentum;
    return in;
  };
  std::optional<FusedInput> second;
  if (step.join != Join::None) second = operand(1, step.norm_b);
  return fused_norm(step.join, step.squash, operand(0, step.norm_a), second, training, &over_ranks_);
}

at::Tensor SpecNet::parameter(int node, const char* name) const {
  const auto& params = params_[static_cast<size_t>(node)];
  const auto found = params.find(name);
  if (found == params.end()) return {};
  return rounding_ ? rounding_->parameter(node, name, found->second) : found->second;
}

at::Tensor SpecNet::upsample_library(const arch::Upsample& op, int node, const at::Tensor& x) const {
  const auto pixels = [&](size_t axis, int64_t to) -> const at::Tensor& {
    return constant(node, axis, [&] { return nearest(x.size(static_cast<int64_t>(axis) + 2), to); });
  };
  return at::index_select(at::index_select(x, 2, pixels(0, op.size.h)), 3, pixels(1, op.size.w))
      .contiguous(x.suggest_memory_format());
}

at::Tensor SpecNet::run_alone(int index, const Values& values, bool training) const {
  const arch::Node& node = spec_.node(index);
  const auto value = [&](size_t i) -> const at::Tensor& { return values[static_cast<size_t>(node.inputs[i])]; };
  const auto param = [&](const char* name) { return parameter(index, name); };
  const bool own = kernels_ == Kernels::Own;
  return arch::visit(
      node.op,
      arch::Overloaded{
          [&](const arch::Input&) -> at::Tensor { throw core::Error("an input cannot be run"); },
          [&](const arch::Conv2d& op) {
            const ConvPlan& plan = convolutions_[static_cast<size_t>(index)];
            return plan ? own_convolution(op, plan, value(0), param("weight"), param("bias"))
                        : library_convolution(op, value(0), param("weight"), param("bias"));
          },
          [&](const arch::BatchNorm& op) {
            return at::batch_norm(value(0), param("weight"), param("bias"), param("running_mean"), param("running_var"),
                                  training, op.momentum, op.eps,
                                  /*cudnn_enabled=*/value(0).is_cuda());
          },
          [&](const arch::Activation& op) { return activate(op.kind, value(0)); },
          [&](const arch::Softmax& op) { return softmax(op, value(0)); },
          [&](const arch::SoftmaxMul& op) { return clamp(op.clamp, at::mul(softmax(op, value(0)), value(1))); },
          [&](const arch::AvgPool& op) { return average_pool(op, kernels_, value(0)); },
          [&](const arch::MaxPool& op) { return own ? max_pool(op, value(0)) : library_max_pool(op, value(0)); },
          [&](const arch::GlobalAvgPool&) {
            return own ? plane_means(value(0)) : at::adaptive_avg_pool2d(value(0), {1, 1});
          },
          [&](const arch::Linear& op) {
            return fully_connected(op, kernels_, value(0), param("weight"), param("bias"));
          },
          [&](const arch::Add& op) { return clamp(op.clamp, at::add(value(0), value(1))); },
          [&](const arch::Mul&) { return own ? own_product(value(0), value(1)) : at::mul(value(0), value(1)); },
          [&](const arch::PRelu&) { return at::prelu(value(0), param("weight").to(value(0).scalar_type())); },
          [&](const arch::Scale&) {
            const at::Tensor &x = value(0), weight = param("weight");
            if (!own) return at::mul(x, weight);
            return scale_planes(x, weight.view({1, 1, 1, 1}).expand({x.size(0), x.size(1), 1, 1}));
          },
          [&](const arch::BlurPool& op) {
            return blur_pool(op, value(0), constant(index, 0, [&] { return blur_filter(op); }));
          },
          [&](const arch::Upsample& op) {
            return own ? upsample(op, value(0)) : upsample_library(op, index, value(0));
          },
          [&](const arch::Concat&) {
            std::vector<at::Tensor> parts;
            for (size_t k = 0; k < node.inputs.size(); ++k) parts.push_back(value(k));
            return at::cat(parts, 1);
          },
          [&](const arch::Slice& op) {
            const at::Tensor part = value(0).narrow(1, op.begin, op.count);
            return own ? part.contiguous() : part;
          },
          [&](const arch::ChannelShuffle& op) { return at::channel_shuffle(value(0), op.groups); },
      });
}

}  // namespace condenser::nn
