// Training in integers: the executor's values forward, the float operators' gradients backward.
#include "condenser/nn/fake_quant.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/le.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/mul.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

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

// Rows of weights times the scale of each, as floats.
void dequantize_rows(std::span<const int8_t> rows, const std::vector<double>& scales, std::span<float> to) {
  const size_t row = rows.size() / scales.size();
  for (size_t i = 0; i < rows.size(); ++i) to[i] = static_cast<float>(scales[i / row] * rows[i]);
}

arch::Weights dequantized(const arch::Spec& spec, const quant::Quantized& q) {
  arch::Weights result;
  for (const arch::Node& node : spec.nodes) {
    const runtime::NodeQuant& entry = q.quant.nodes.at(node.name);
    const auto weight = q.weights.tensors.find(node.name + ".weight");
    if (weight == q.weights.tensors.end() || weight->second.dtype != arch::DType::I8) continue;
    arch::Tensor& to = result.tensors[node.name + ".weight"] =
        arch::make_tensor(arch::DType::F32, weight->second.shape);
    dequantize_rows(weight->second.i8(), entry.weight_scales, to.f32());
    const auto bias = q.weights.tensors.find(node.name + ".bias");
    if (bias == q.weights.tensors.end()) continue;
    const double input = q.quant.nodes.at(spec.node(node.inputs[0]).name).output.scale;
    arch::Tensor& added = result.tensors[node.name + ".bias"] = arch::make_tensor(arch::DType::F32, bias->second.shape);
    for (size_t c = 0; c < entry.weight_scales.size(); ++c)
      added.f32()[c] = static_cast<float>(input * entry.weight_scales[c] * bias->second.i32()[c]);
  }
  return result;
}

}  // namespace

FakeQuant::FakeQuant(const arch::Spec& lowered, const runtime::QuantParams& ranges)
    : spec_(lowered), costs_(arch::analyze(lowered)), ranges_(ranges), values_(lowered.nodes.size()) {}

void FakeQuant::run(const arch::Weights& weights, const at::Tensor& x) {
  const quant::Quantized q = quant::quantize(spec_, costs_, weights, ranges_);
  rounded_ = dequantized(spec_, q);
  const runtime::Int8Program program = runtime::build_program(spec_, q.weights, q.quant);
  const auto images = x.size(0), item = spec_.input.elements();
  for (size_t i = 0; i < values_.size(); ++i)
    values_[i].resize(static_cast<size_t>(images * costs_.nodes[i].shape.elements()));
  const at::Tensor dense = x.contiguous();
  const float* from = dense.const_data_ptr<float>();
  const int64_t part = (images + core::Team::instance().size() - 1) / core::Team::instance().size();
  core::for_parts(images, part, [&](int64_t first, int64_t count) {
    runtime::Int8Executor executor(program);
    std::vector<int8_t> input(static_cast<size_t>(item));
    for (int64_t k = first; k < first + count; ++k) {
      executor.quantize_input({from + k * item, static_cast<size_t>(item)}, input);
      executor.run(input, [&](int node, std::span<const int8_t> values) {
        const auto i = static_cast<size_t>(node);
        const auto size = values.size();
        quant::dequantize(values, costs_.nodes[i].shape, ranges_.nodes.at(spec_.nodes[i].name).output,
                          std::span(values_[i]).subspan(static_cast<size_t>(k) * size, size));
      });
    }
  });
}

at::Tensor FakeQuant::parameter(int node, const std::string& name, const at::Tensor& exact) const {
  const auto found = rounded_.tensors.find(spec_.node(node).name + "." + name);
  if (found == rounded_.tensors.end() || !exact.defined()) return exact;
  auto* values = const_cast<float*>(found->second.f32().data());  // from_blob takes no const
  return Straight::apply(exact, at::from_blob(values, exact.sizes()).clone());
}

at::Tensor FakeQuant::value(int node, const at::Tensor& exact) {
  const arch::Shape& shape = costs_.node(node).shape;
  const runtime::TensorQuant& q = ranges_.nodes.at(spec_.node(node).name).output;
  std::vector<float>& values = values_[static_cast<size_t>(node)];
  const int64_t images = static_cast<int64_t>(values.size()) / shape.elements();
  const at::Tensor rounded = at::from_blob(values.data(), {images, shape.c, shape.h, shape.w}).clone();
  return Bounded::apply(exact, rounded, q.scale * (-128.5 - q.zero_point), q.scale * (127.5 - q.zero_point));
}

}  // namespace condenser::nn
