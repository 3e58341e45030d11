// log10 of the sum over all weights of |w| dR/d|w|, where R is the sum of outputs for a picture of ones (Tanaka et al.
// 2020, arXiv 2006.05467; as a score: Abdelfattah et al. 2021, arXiv 2101.08134). Weights are taken absolute, batch
// norms as their scale and shift alone, and activations that saturate as ones that do not, so that R grows with every
// path. In double precision: R is a product over the depth.
#include <ATen/ops/ones.h>

#include <cmath>

#include "train/probes/probes.hpp"

namespace condenser::train {
namespace {

arch::Spec without_saturation(arch::Spec spec) {
  for (arch::Node& node : spec.nodes) {
    auto* activation = std::get_if<arch::Activation>(&node.op);
    if (activation == nullptr) continue;
    switch (activation->kind) {
      case arch::ActivationKind::Relu6:
      case arch::ActivationKind::Silu:
      case arch::ActivationKind::HardSwish: activation->kind = arch::ActivationKind::Relu; break;
      case arch::ActivationKind::Relu:
      case arch::ActivationKind::Sigmoid:
      case arch::ActivationKind::HardSigmoid:
      case arch::ActivationKind::Tanh: break;  // the last three are gates: open
    }
  }
  return spec;
}

arch::Weights absolute(arch::Weights weights) {
  for (auto& [name, tensor] : weights.tensors) {
    const bool mean = name.ends_with(".running_mean"), variance = name.ends_with(".running_var");
    for (float& w : tensor.f32()) w = mean ? 0.0f : variance ? 1.0f : std::abs(w);
  }
  return weights;
}

}  // namespace

void synflow(const Subject& subject, search::Findings& findings) {
  const arch::Spec spec = without_saturation(subject.spec);
  nn::SpecNet net(spec, absolute(subject.weights), nn::Kernels::Library, at::kCPU, at::kDouble);
  const arch::Shape& in = spec.input;
  net.forward(at::ones({1, in.c, in.h, in.w}, at::kDouble), nn::Mode::Evaluation).sum().backward();
  const auto* values = net.block().const_data_ptr<double>();
  const auto* gradients = net.gradient_block().const_data_ptr<double>();
  double sum = 0;
  for (const nn::Segment& s : net.layout().segments)
    for (int64_t i = s.offset; s.trainable && s.decay && i < s.offset + s.size; ++i)
      sum += std::abs(values[i] * gradients[i]);
  found(findings, subject, "synflow", std::log10(sum));
}

}  // namespace condenser::train
