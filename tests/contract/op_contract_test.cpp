// Every exemplar through LibTorch: shapes and parameter counts are those of the analysis, values those of the float
// executor, fused steps those of the library's own operators, lowered networks those of the original.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/sum.h>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/nn/spec_net.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/lively.hpp"

namespace condenser {
namespace {

using testing::lively_weights;
using testing::random_floats;
using Floats = std::vector<float>;

constexpr int64_t kBatch = 3;

at::Tensor as_batch(Floats& values, const arch::Shape& shape) {
  return at::from_blob(values.data(), {kBatch, shape.c, shape.h, shape.w});
}

Floats to_floats(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous();
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

// Largest difference relative to the size of the values.
double distance(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  double worst = 0, scale = 1;
  for (size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    scale = std::max(scale, static_cast<double>(std::abs(b[i])));
  }
  return worst / scale;
}

// Of all outputs, one after the other.
Floats to_floats(const std::vector<at::Tensor>& outputs) {
  Floats all;
  for (const at::Tensor& output : outputs) {
    const Floats values = to_floats(output);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

Floats forward(const arch::Spec& spec, const arch::Weights& weights, Floats& input, nn::Kernels kernels) {
  const at::NoGradGuard no_gradients;
  nn::SpecNet net(spec, weights, kernels);
  return to_floats(net.forward_all(as_batch(input, spec.input), nn::Mode::Evaluation));
}

}  // namespace

TEST_CASE("every exemplar has LibTorch's shapes and parameter count", "[nn][contract]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    const auto analysis = arch::analyze(spec);
    nn::SpecNet net(spec, arch::random_weights(spec, 1));
    int64_t trainable = 0;
    for (const auto& segment : net.layout().segments) trainable += segment.trainable ? segment.size : 0;
    CHECK(trainable == analysis.params);

    const at::NoGradGuard no_gradients;
    Floats input = random_floats(kBatch * spec.input.elements(), 2);
    for (size_t end = 2; end <= spec.nodes.size(); ++end) {  // the network up to each of its nodes
      arch::Spec part = spec;
      part.nodes.resize(end);
      part.outputs.clear();
      nn::SpecNet part_net(part, arch::random_weights(part, 1));
      const at::Tensor y = part_net.forward(as_batch(input, spec.input), nn::Mode::Evaluation);
      const auto& shape = analysis.nodes[end - 1].shape;
      INFO(part.nodes.back().name);
      CHECK(y.sizes() == at::IntArrayRef({kBatch, shape.c, shape.h, shape.w}));
    }
  }
}

TEST_CASE("LibTorch and the float executor agree on every exemplar", "[nn][contract]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    arch::Weights weights = lively_weights(spec, 7);
    Floats input = random_floats(kBatch * spec.input.elements(), 3);
    const Floats expected = runtime::FloatExecutor(spec, weights).run(input, kBatch);
    CHECK(distance(forward(spec, weights, input, nn::Kernels::Own), expected) < 1e-4);
    CHECK(distance(forward(spec, weights, input, nn::Kernels::Library), expected) < 1e-4);

    arch::Weights lowered_weights = weights;
    const arch::Spec lowered = arch::lower(spec, &lowered_weights);
    CHECK(distance(forward(lowered, lowered_weights, input, nn::Kernels::Own), expected) < 1e-4);
    CHECK(distance(runtime::FloatExecutor(lowered, lowered_weights).run(input, kBatch), expected) < 1e-4);
  }
}

TEST_CASE("fused training steps have the values and gradients of the library's operators", "[nn][contract]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    const arch::Weights weights = lively_weights(spec, 7);
    for (const auto mode : {nn::Mode::Training, nn::Mode::Evaluation}) {
      INFO((mode == nn::Mode::Training ? "training" : "evaluation"));
      Floats values[2], gradients[2], outputs[2], input_gradients[2];
      for (const auto kernels : {nn::Kernels::Library, nn::Kernels::Own}) {
        const int i = kernels == nn::Kernels::Own;
        nn::SpecNet net(spec, weights, kernels);
        Floats input = random_floats(kBatch * spec.input.elements(), 4);
        const at::Tensor x = as_batch(input, spec.input).set_requires_grad(true);
        const std::vector<at::Tensor> y = net.forward_all(x, mode);
        at::Tensor loss;
        for (const at::Tensor& output : y) {
          Floats dy = random_floats(output.numel(), 5);
          const at::Tensor part = (output * at::from_blob(dy.data(), output.sizes()).clone()).sum();
          loss = loss.defined() ? loss + part : part;
        }
        loss.backward();
        outputs[i] = to_floats(y);
        values[i] = {net.values().begin(), net.values().end()};
        gradients[i] = {net.gradients().begin(), net.gradients().end()};
        input_gradients[i] = to_floats(x.grad());
      }
      CHECK(distance(outputs[1], outputs[0]) < 1e-4);
      CHECK(distance(values[1], values[0]) < 1e-5);  // running statistics
      CHECK(distance(gradients[1], gradients[0]) < 2e-4);
      CHECK(distance(input_gradients[1], input_gradients[0]) < 2e-4);
    }
  }
}

}  // namespace condenser
