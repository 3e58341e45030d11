// Training in integers: the executor's values forward, the float operators' gradients backward.
#include "condenser/nn/fake_quant.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/le.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/mul.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

#include "condenser/core/team.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/runtime/int8_executor.hpp"

namespace condenser::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Straight : torch::autograd::Function<Straight> {
  static at::Tensor forward(AutogradContext*, const at::Tensor&, const at::Tensor& rounded) { return rounded; }
  static variable_list backward(AutogradContext*, const variable_list& gradient) { return {gradient[0], {}}; }
};

struct Bounded : torch::autograd::Function<Bounded> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& exact, const at::Tensor& rounded, double low,
                            double high) {
    context->save_for_backward({at::logical_and(at::ge(exact, low), at::le(exact, high))});
    return rounded;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradient) {
    return {at::mul(gradient[0], context->get_saved_variables()[0]), {}, {}, {}};
  }
};

std::map<std::string, at::Tensor> dequantized(const arch::Spec& spec, const quant::Quantized& q) {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : quant::dequantize(spec, q.weights, q.quant).tensors) {
    const at::Tensor values = at::empty(tensor.shape);
    std::ranges::copy(tensor.f32(), values.mutable_data_ptr<float>());
    result[name] = values;
  }
  return result;
}

}  // namespace

FakeQuant::FakeQuant(const arch::Spec& lowered, const runtime::QuantParams& ranges)
    : spec_(lowered), costs_(arch::analyze(lowered)), ranges_(ranges), values_(lowered.nodes.size()) {}

void FakeQuant::run(const arch::Weights& weights, const at::Tensor& x) {
  const quant::Quantized q = quant::quantize(spec_, costs_, weights, ranges_);
  parameters_ = dequantized(spec_, q);
  const runtime::Int8Program program = runtime::build_program(spec_, q.weights, q.quant);
  const auto images = x.size(0), item = spec_.input.elements();
  for (size_t i = 0; i < values_.size(); ++i) {
    const arch::Shape& shape = costs_.nodes[i].shape;
    values_[i] = at::empty({images, shape.c, shape.h, shape.w});
  }
  const at::Tensor dense = x.contiguous();
  const float* from = dense.const_data_ptr<float>();
  const int64_t part = (images + core::Team::instance().size() - 1) / core::Team::instance().size();
  core::for_parts(images, part, [&](int64_t first, int64_t count) {
    runtime::Int8Executor executor(program);
    std::vector<int8_t> input(static_cast<size_t>(item));
    for (int64_t k = first; k < first + count; ++k) {
      executor.quantize_input({from + k * item, static_cast<size_t>(item)}, input);
      executor.run(input, [&](int node, std::span<const int16_t> values) {
        const auto i = static_cast<size_t>(node);
        float* to = values_[i].mutable_data_ptr<float>() + k * std::ssize(values);
        quant::dequantize(values, costs_.nodes[i].shape, ranges_.nodes.at(spec_.nodes[i].name).output,
                          {to, values.size()});
      });
    }
  });
}

at::Tensor FakeQuant::parameter(int node, const std::string& name, const at::Tensor& exact) const {
  const auto found = parameters_.find(spec_.node(node).name + "." + name);
  return found == parameters_.end() ? exact : Straight::apply(exact, found->second);
}

at::Tensor FakeQuant::value(int node, const at::Tensor& exact) {
  const runtime::TensorQuant& q = ranges_.nodes.at(spec_.node(node).name).output;
  const at::Tensor rounded = std::exchange(values_[static_cast<size_t>(node)], {});
  return Bounded::apply(exact, rounded, q.scale * (q.low() - 0.5 - q.zero_point),
                        q.scale * (q.high() + 0.5 - q.zero_point));
}

}  // namespace condenser::nn
