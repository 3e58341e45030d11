// Looks at every value of one forward pass.
#include "train/diagnose.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>

namespace condenser::train {
namespace {

bool finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

std::string first_non_finite(const arch::Spec& spec, const arch::Weights& weights, const Rows& rows) {
  if (!finite(rows.x)) return "the input";
  for (const auto& parameter : arch::parameters(spec))
    if (parameter.trainable && !finite(weights.at(parameter.name).f32())) return "parameter " + parameter.name;
  const at::NoGradGuard no_gradients;
  nn::SpecNet net(spec, weights, nn::Kernels::Library);
  std::string found;
  const auto look = [&](const arch::Node& node, const at::Tensor& value) {
    if (found.empty() && !at::isfinite(value).all().item<bool>()) found = "the output of node " + node.name;
  };
  auto* pixels = const_cast<float*>(rows.x.data());  // from_blob takes no const; forward does not write
  net.forward_all(at::from_blob(pixels, {rows.size, spec.input.c, spec.input.h, spec.input.w}), nn::Mode::Training,
                  look);
  return found.empty() ? "the loss" : found;
}

}  // namespace condenser::train
