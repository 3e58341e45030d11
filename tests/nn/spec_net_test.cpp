#include "condenser/nn/spec_net.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <cmath>

#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/lively.hpp"

namespace condenser::nn {
namespace {

using testing::random_floats;

}  // namespace

// The column design, and the operators with parameters, gathers or steps of their own.
TEST_CASE("gradients of small networks are their differences", "[nn]") {
  const std::string name =
      GENERATE(as<std::string>{}, "network_tiny", "conv_bn_prelu", "conv_scale", "attention_condenser_additive",
               "condenser_space", "squeeze_excite", "shuffle_unit", "concat_bn", "concat_itself", "softmax_gate_space",
               "softmax_gate_channels_rescaled", "softmax_broadcast", "upsample_after_pool");
  INFO(name);
  const auto& spec = testing::exemplar(name);
  constexpr int64_t kBatch = 4;
  std::vector<float> input = random_floats(kBatch * spec.input.elements(), 1);
  const at::Tensor x = at::from_blob(input.data(), {kBatch, spec.input.c, spec.input.h, spec.input.w});
  SpecNet net(spec, arch::random_weights(spec, 2));
  std::vector<float> dy;
  const auto loss = [&] {
    const at::NoGradGuard no_gradients;
    const at::Tensor y = net.forward(x, Mode::Training).contiguous();
    double sum = 0;
    for (int64_t i = 0; i < y.numel(); ++i) sum += double(y.const_data_ptr<float>()[i]) * dy[size_t(i)];
    return sum;
  };
  const at::Tensor y = net.forward(x, Mode::Training);
  dy = random_floats(y.numel(), 3);
  y.backward(at::from_blob(dy.data(), y.sizes()));

  // The derivative along the gradient of each parameter is the gradient's length.
  for (const auto& segment : net.layout().segments) {
    if (!segment.trainable) continue;
    INFO(segment.name);
    const auto gradient = net.gradients().subspan(size_t(segment.offset), size_t(segment.size));
    const auto values = net.values().subspan(size_t(segment.offset), size_t(segment.size));
    const std::vector<float> kept(values.begin(), values.end());
    double length = 0;
    for (float g : gradient) length += double(g) * g;
    length = std::sqrt(length);
    REQUIRE(length > 0);  // gradients flow everywhere
    const auto along = [&](double step) {
      for (size_t i = 0; i < kept.size(); ++i) values[i] = static_cast<float>(kept[i] + step * gradient[i] / length);
      const double at = loss();
      std::copy(kept.begin(), kept.end(), values.begin());
      return at;
    };
    constexpr double kStep = 3e-3;
    CHECK((along(kStep) - along(-kStep)) / (2 * kStep) == Approx(length).epsilon(0.02).margin(5e-3));
  }
}

TEST_CASE("evaluation leaves the running statistics alone, training moves them", "[nn]") {
  const auto& spec = testing::exemplar("network_tiny");
  std::vector<float> input = random_floats(4 * spec.input.elements(), 1);
  const at::Tensor x = at::from_blob(input.data(), {4, spec.input.c, spec.input.h, spec.input.w});
  SpecNet net(spec, arch::random_weights(spec, 2));
  const arch::Weights before = net.weights();
  const at::NoGradGuard no_gradients;
  net.forward(x, Mode::Evaluation);
  CHECK(net.weights() == before);
  net.forward(x, Mode::Training);
  const arch::Weights after = net.weights();
  for (const auto& [name, tensor] : after.tensors) {
    INFO(name);
    CHECK((tensor == before.at(name)) == (name.find(".running_") == std::string::npos));
  }
}

TEST_CASE("a frozen network answers the same in every layout", "[nn]") {
  const at::NoGradGuard no_gradients;
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    std::vector<float> input = random_floats(2 * spec.input.elements(), 1);
    const at::Tensor x = at::from_blob(input.data(), {2, spec.input.c, spec.input.h, spec.input.w});
    const arch::Weights weights = arch::random_weights(spec, 2);
    const auto expected = SpecNet(spec, weights, Kernels::Library).forward_all(x, Mode::Evaluation);
    SpecNet frozen(spec, weights, Kernels::Library);
    for (const auto format : {at::MemoryFormat::ChannelsLast, at::MemoryFormat::Contiguous}) {
      frozen.freeze(at::kCPU, format);
      const auto found = frozen.forward_all(x.contiguous(format), Mode::Evaluation);
      REQUIRE(found.size() == spec.output_count());
      for (size_t k = 0; k < found.size(); ++k) {
        const at::Tensor y = found[k].contiguous(), wanted = expected[k].contiguous();
        REQUIRE(y.sizes() == wanted.sizes());
        for (int64_t i = 0; i < y.numel(); ++i)
          REQUIRE(y.const_data_ptr<float>()[i] == Approx(wanted.const_data_ptr<float>()[i]).epsilon(1e-4).margin(1e-4));
      }
    }
  }
}

TEST_CASE("a network gives back the weights it was made of", "[nn]") {
  const auto& spec = testing::exemplar("network_tiny");
  arch::Weights weights = arch::random_weights(spec, 5);
  weights.metadata.clear();
  CHECK(SpecNet(spec, weights).weights() == weights);
}

TEST_CASE("wrong weights and wrong inputs are refused", "[nn]") {
  const auto& spec = testing::exemplar("network_tiny");
  CHECK_THROWS_AS(SpecNet(spec, arch::Weights{}), core::Error);
  SpecNet net(spec, arch::random_weights(spec, 1));
  std::vector<float> input(static_cast<size_t>(spec.input.elements()));
  const at::Tensor x = at::from_blob(input.data(), {1, spec.input.c, spec.input.h * spec.input.w, 1});
  CHECK_THROWS_WITH(net.forward(x, Mode::Evaluation), Catch::Contains("3x12x12"));
}

}  // namespace condenser::nn
