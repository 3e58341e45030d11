// A Spec as LibTorch calls on planes (contiguous tensors). Plans once which batch norms are run together with the nodes
// after them (fused.cpp); convolutions have kernels of their own (functions.cpp); everything else is one
// library call per node.
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
#include "nn/functions.hpp"
#include "nn/fused.hpp"

namespace condenser::nn {

// What one call computes: the value of node `output` from the values of `inputs` (indices of nodes).
struct SpecNet::Step {
  int output = 0;
  std::vector<int> inputs;
  bool fused = false;
  Join join = Join::None;
  Squash squash = Squash::Identity;
  int norm_a = -1, norm_b = -1;  // batch-norm nodes, -1: the input as it is
  std::vector<int> last_uses;    // values not needed after this step
  ConvPlan convolution;          // of the own kernels
};

namespace {

Squash to_squash(arch::ActivationKind kind) {
  switch (kind) {
    case arch::ActivationKind::Relu: return Squash::Relu;
    case arch::ActivationKind::Relu6: return Squash::Relu6;
    case arch::ActivationKind::Silu: return Squash::Silu;
    case arch::ActivationKind::Sigmoid: return Squash::Sigmoid;
    case arch::ActivationKind::HardSwish: return Squash::HardSwish;
    case arch::ActivationKind::HardSigmoid: return Squash::HardSigmoid;
    case arch::ActivationKind::Tanh: return Squash::Tanh;
  }
  throw core::Error("unknown activation");
}

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

at::Tensor convolve(const arch::Conv2d& op, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const bool simple = symmetric(op.pad);
  const std::vector<int64_t> stride{op.stride.h, op.stride.w}, none{0, 0}, one{1, 1};
  const std::vector<int64_t> pad{op.pad.top, op.pad.left};
  return clamp(op.clamp, at::conv2d(simple ? x : pad_with(x, op.pad, 0.0), weight, bias, stride, simple ? pad : none,
                                    one, op.groups));
}

// The library's pooling takes only symmetric padding of at most half the kernel.
template <class Pool>
bool library_padding(const Pool& op) {
  return symmetric(op.pad) && 2 * op.pad.top <= op.kernel.h && 2 * op.pad.left <= op.kernel.w;
}

at::Tensor average_pool(const arch::AvgPool& op, const at::Tensor& x) {
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

SpecNet::SpecNet(const arch::Spec& spec, const arch::Weights& weights, Fusion fusion, at::Device device)
    : spec_(spec),
      layout_(block_layout(spec)),
      own_kernels_(fusion == Fusion::On),
      device_(device),
      params_(spec.nodes.size()) {
  arch::validate(spec_);
  arch::analyze(spec_);  // shapes fit
  if (own_kernels_ && !device.is_cpu()) throw core::Error("the own kernels run on the processor only");
  block_ = at::zeros({layout_.size});
  copy_to_block(spec_, layout_, weights, values());
  block_ = block_.to(device);
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
  plan_steps(fusion);
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
  if (!own_kernels_) throw core::Error("synchronized batch norm needs the own kernels (Fusion::On)");
  over_ranks_ = std::move(over_ranks);
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

// Walks from the output to the input and lets each step swallow the nodes before it whose values nobody else needs:
// [norm] -> [add | softmax, mul] -> [activation].
void SpecNet::plan_steps(Fusion fusion) {
  const auto readers = arch::consumers(spec_);
  const auto sole = [&](int node) { return readers[static_cast<size_t>(node)].size() == 1; };
  const auto op = [&](int node) -> const arch::Op& { return spec_.node(node).op; };
  const auto input = [&](int node, int i) { return spec_.node(node).inputs[static_cast<size_t>(i)]; };
  const arch::Analysis analysis = arch::analyze(spec_);
  const auto shape = [&](int node) { return analysis.node(node).shape; };
  const auto is_norm = [&](int node) { return std::holds_alternative<arch::BatchNorm>(op(node)); };
  const int count = static_cast<int>(spec_.nodes.size());
  std::vector<bool> wanted(spec_.nodes.size(), false);
  wanted.back() = true;

  // Fills `step` when `core` (a norm, add or mul) is the end of a chain worth fusing.
  const auto fuse = [&](Step& step, int core) {
    if (is_norm(core)) {
      step.norm_a = core;
      step.inputs = {input(core, 0)};
      return true;
    }
    const bool add =
        std::holds_alternative<arch::Add>(op(core)) && std::get<arch::Add>(op(core)).clamp == arch::Clamp::None;
    if (!add && !std::holds_alternative<arch::Mul>(op(core))) return false;
    if (input(core, 0) == input(core, 1)) return false;  // one norm on both sides would move its statistics twice
    for (int side = 0; side < 2; ++side) {
      int a = input(core, side);
      const int b = input(core, 1 - side);
      if (!sole(a)) continue;
      if (!add) {
        const auto* softmax = std::get_if<arch::Softmax>(&op(a));
        if (softmax == nullptr || *softmax != arch::Softmax{} || shape(a) != shape(b)) continue;
        a = input(a, 0);
      }
      if (!sole(a) || !is_norm(a)) continue;
      step.join = add ? Join::Add : Join::Gate;
      step.norm_a = a;
      step.norm_b = sole(b) && is_norm(b) ? b : -1;
      step.inputs = {input(a, 0), step.norm_b >= 0 ? input(b, 0) : b};
      return true;
    }
    if (!add) return false;
    step.join = Join::Add;
    step.inputs = {input(core, 0), input(core, 1)};
    return true;
  };

  std::vector<Step> reversed;
  for (int node = count - 1; node > 0; --node) {
    if (!wanted[static_cast<size_t>(node)]) continue;
    Step step;
    step.output = node;
    if (fusion == Fusion::On) {
      const auto* activation = std::get_if<arch::Activation>(&op(node));
      if (activation == nullptr) {
        step.fused = fuse(step, node);
      } else {
        step.fused = true;
        step.squash = to_squash(activation->kind);
        if (!sole(input(node, 0)) || !fuse(step, input(node, 0))) step.inputs = {input(node, 0)};
      }
    }
    const arch::Inputs& inputs = spec_.node(node).inputs;
    if (!step.fused) step.inputs.assign(inputs.begin(), inputs.end());
    const auto* conv = std::get_if<arch::Conv2d>(&op(node));
    if (fusion == Fusion::On && conv != nullptr)
      step.convolution = std::make_shared<const ConvGeometry>(conv_geometry(shape(input(node, 0)), *conv));
    for (int needed : step.inputs) wanted[static_cast<size_t>(needed)] = true;
    reversed.push_back(std::move(step));
  }

  std::vector<bool> seen(spec_.nodes.size(), false);
  seen.back() = true;
  for (auto& step : reversed)
    for (int needed : step.inputs)
      if (!seen[static_cast<size_t>(needed)]) {
        seen[static_cast<size_t>(needed)] = true;
        step.last_uses.push_back(needed);
      }
  steps_.assign(std::make_move_iterator(reversed.rbegin()), std::make_move_iterator(reversed.rend()));
}

at::Tensor SpecNet::forward(const at::Tensor& x, Mode mode, const Watch& watch) {
  if (x.dim() != 4 || x.size(1) != spec_.input.c || x.size(2) != spec_.input.h || x.size(3) != spec_.input.w)
    throw core::Error("network " + spec_.name + ": input batch does not have the shape n x " +
                      arch::to_string(spec_.input));
  std::vector<at::Tensor> outputs(spec_.nodes.size());
  outputs[0] = own_kernels_ ? x.contiguous() : x;  // the library's calls take any layout
  for (const auto& step : steps_) {
    const auto output = static_cast<size_t>(step.output);
    outputs[output] = run(step, outputs, mode == Mode::Training);
    if (watch) watch(spec_.nodes[output], outputs[output]);
    for (int done : step.last_uses) outputs[static_cast<size_t>(done)].reset();
  }
  return outputs.back();
}

at::Tensor SpecNet::run(const Step& step, const std::vector<at::Tensor>& outputs, bool training) const {
  const auto value = [&](int i) -> const at::Tensor& {
    return outputs[static_cast<size_t>(step.inputs[static_cast<size_t>(i)])];
  };
  if (step.fused) {
    const auto operand = [&](int i, int norm) {
      FusedInput in{.x = value(i)};
      if (norm < 0) return in;
      const auto& p = params_[static_cast<size_t>(norm)];
      const auto& bn = std::get<arch::BatchNorm>(spec_.node(norm).op);
      in.gamma = p.at("weight"), in.beta = p.at("bias");
      in.running_mean = p.at("running_mean"), in.running_var = p.at("running_var");
      in.eps = bn.eps, in.momentum = bn.momentum;
      return in;
    };
    std::optional<FusedInput> second;
    if (step.join != Join::None) second = operand(1, step.norm_b);
    return fused_norm(step.join, step.squash, operand(0, step.norm_a), second, training, &over_ranks_);
  }
  const auto& params = params_[static_cast<size_t>(step.output)];
  const auto param = [&](const char* name) {
    const auto found = params.find(name);
    return found == params.end() ? at::Tensor() : found->second;
  };
  return arch::visit(
      spec_.node(step.output).op,
      arch::Overloaded{
          [&](const arch::Input&) -> at::Tensor { throw core::Error("an input cannot be run"); },
          [&](const arch::Conv2d& op) {
            const at::Tensor x = value(0);
            if (!step.convolution) return convolve(op, x, param("weight"), param("bias"));
            if (step.convolution->direct && op.groups == 1 && x.size(2) * x.size(3) == 1) {  // as squeeze-excite has it
              const at::Tensor y = nn::linear(x.flatten(1), param("weight").flatten(1), param("bias"));
              return clamp(op.clamp, y).view({y.size(0), y.size(1), 1, 1});
            }
            return clamp(op.clamp, convolution(step.convolution, x, param("weight"), param("bias")));
          },
          [&](const arch::BatchNorm& op) {
            return at::batch_norm(value(0), param("weight"), param("bias"), param("running_mean"), param("running_var"),
                                  training, op.momentum, op.eps,
                                  /*cudnn_enabled=*/value(0).is_cuda());
          },
          [&](const arch::Activation& op) { return activate(op.kind, value(0)); },
          [&](const arch::Softmax& op) { return softmax(op, value(0)); },
          [&](const arch::SoftmaxMul& op) { return at::mul(softmax(op, value(0)), value(1)); },
          [&](const arch::AvgPool& op) {
            const bool halving = op.kernel == arch::square(2) && op.stride == op.kernel && op.pad == arch::Pad{};
            return own_kernels_ && halving ? halve(value(0)) : average_pool(op, value(0));
          },
          [&](const arch::MaxPool& op) {
            return own_kernels_ ? max_pool(op, value(0)) : library_max_pool(op, value(0));
          },
          [&](const arch::GlobalAvgPool&) {
            return own_kernels_ ? plane_means(value(0)) : at::adaptive_avg_pool2d(value(0), {1, 1});
          },
          [&](const arch::Linear& op) {
            const at::Tensor x = value(0).flatten(1), weight = param("weight"), bias = param("bias");
            const at::Tensor y = own_kernels_ ? nn::linear(x, weight, bias) : at::linear(x, weight, bias);
            return clamp(op.clamp, y).view({y.size(0), y.size(1), 1, 1});
          },
          [&](const arch::Add& op) { return clamp(op.clamp, at::add(value(0), value(1))); },
          [&](const arch::Mul&) {
            for (int i = 0; own_kernels_ && i < 2; ++i) {
              const at::Tensor& factor = value(1 - i);
              if (factor.size(2) == 1 && factor.size(3) == 1 && value(i).size(2) * value(i).size(3) > 1)
                return scale_planes(value(i), factor);
            }
            return at::mul(value(0), value(1));
          },
          [&](const arch::PRelu&) { return at::prelu(value(0), param("weight").to(value(0).scalar_type())); },
          [&](const arch::Scale&) {
            const at::Tensor &x = value(0), weight = param("weight");
            if (!own_kernels_) return at::mul(x, weight);
            return scale_planes(x, weight.view({1, 1, 1, 1}).expand({x.size(0), x.size(1), 1, 1}));
          },
          [&](const arch::BlurPool& op) {
            return blur_pool(op, value(0), constant(step.output, 0, [&] { return blur_filter(op); }));
          },
          [&](const arch::Upsample& op) {
            const at::Tensor x = value(0);
            if (own_kernels_) return upsample(op, x);
            const auto pixels = [&](size_t axis, int64_t to) -> const at::Tensor& {
              const auto dimension = static_cast<int64_t>(axis) + 2;
              return constant(step.output, axis, [&] { return nearest(x.size(dimension), to); });
            };
            return at::index_select(at::index_select(x, 2, pixels(0, op.size.h)), 3, pixels(1, op.size.w))
                .contiguous(x.suggest_memory_format());
          },
          [&](const arch::Concat&) {
            std::vector<at::Tensor> parts;
            for (size_t k = 0; k < step.inputs.size(); ++k) parts.push_back(value(static_cast<int>(k)));
            return at::cat(parts, 1);
          },
          [&](const arch::Slice& op) {
            const at::Tensor part = value(0).narrow(1, op.begin, op.count);
            return own_kernels_ ? part.contiguous() : part;
          },
          [&](const arch::ChannelShuffle& op) { return at::channel_shuffle(value(0), op.groups); },
      });
}

}  // namespace condenser::nn
