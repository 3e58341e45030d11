// Training in int8 form: forward equal to the executor bit for bit, backward the float network's gradients.
#include "condenser/nn/fake_quant.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <cmath>

#include "condenser/arch/builder.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/nn/spec_net.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/int16_networks.hpp"
#include "support/lively.hpp"
#include "support/random_int8.hpp"
#include "support/random_spec.hpp"

namespace condenser::nn {
namespace {

using testing::random_floats;

constexpr int64_t kBatch = 3;

at::Tensor tensor(std::vector<float>& values, const arch::Spec& spec) {
  return at::from_blob(values.data(), {kBatch, spec.input.c, spec.input.h, spec.input.w});
}

// Outputs of the executor for one item, dequantized, one after the other.
std::vector<float> executed(const arch::Spec& spec, const quant::Quantized& q, std::span<const float> item) {
  runtime::Int8Executor executor(runtime::build_program(spec, q.weights, q.quant));
  std::vector<int8_t> input(item.size());
  executor.quantize_input(item, input);
  std::span<const int8_t> from = executor.run(input);
  std::vector<float> values;
  for (size_t k = 0; k < spec.output_count(); ++k) {
    const arch::Shape& shape = executor.program().output_shape(k);
    std::vector<float> one(static_cast<size_t>(shape.elements()));
    quant::dequantize(from.first(one.size()), shape, executor.program().output_quant(k), one);
    from = from.subspan(one.size());
    values.insert(values.end(), one.begin(), one.end());
  }
  return values;
}

// Ranges as they come from outside, and weights that were not made for them.
void check_equal(const arch::Spec& lowered, uint64_t seed, const arch::Int16Nodes& wide = {}) {
  const arch::Weights weights = arch::random_weights(lowered, seed);
  const runtime::QuantParams ranges = testing::random_int8(lowered, seed, wide).quant;
  std::vector<float> input = random_floats(kBatch * lowered.input.elements(), seed);
  SpecNet net(lowered, weights);
  net.round_as(ranges);
  const auto found = net.forward_all(tensor(input, lowered), Mode::Training);
  const quant::Quantized q = quant::quantize(lowered, arch::analyze(lowered), weights, ranges);
  const auto item = static_cast<size_t>(lowered.input.elements());
  for (size_t i = 0; i < kBatch; ++i) {
    std::vector<float> row;
    for (const at::Tensor& y : found) {
      const at::Tensor one = y[static_cast<int64_t>(i)].contiguous();
      row.insert(row.end(), one.const_data_ptr<float>(), one.const_data_ptr<float>() + one.numel());
    }
    REQUIRE(row == executed(lowered, q, std::span(input).subspan(i * item, item)));
  }
}

}  // namespace

TEST_CASE("training in int8 form computes what the executor computes, on every operator", "[nn]") {
  int compared = 0;
  for (const testing::Exemplar& exemplar : testing::exemplars()) {
    const arch::Spec lowered = arch::lower(exemplar.spec, nullptr);
    if (!testing::runs_in_int8(lowered)) continue;
    INFO(exemplar.name);
    check_equal(lowered, 7);
    ++compared;
  }
  REQUIRE(compared > 20);
}

TEST_CASE("training in int8 form computes what the executor computes, with values of 16 bits", "[nn]") {
  for (const testing::Int16Network& network : testing::int16_networks()) {
    INFO(network.name);
    check_equal(network.spec, 9, network.nodes);
  }
}

TEST_CASE("training in int8 form computes what the executor computes, on random networks", "[nn]") {
  core::Rng rng(11);
  for (int i = 0; i < 60; ++i) {
    const arch::Spec lowered =
        arch::lower(testing::random_spec(rng, 3 + static_cast<int>(rng.below(12)), testing::Operators::All), nullptr);
    if (!testing::runs_in_int8(lowered)) continue;
    INFO(i);
    check_equal(lowered, static_cast<uint64_t>(i));
  }
}

// Rounding to steps so fine that they do not count leaves the float network's gradients.
TEST_CASE("gradients in int8 form are those of the float network where nothing saturates", "[nn]") {
  const std::string name = GENERATE(as<std::string>{}, "network_tiny", "conv_scale", "softmax_gate_channels_rescaled");
  INFO(name);
  arch::Weights weights = arch::random_weights(testing::exemplar(name), 3);
  const arch::Spec lowered = arch::lower(testing::exemplar(name), &weights);
  std::vector<float> input = random_floats(kBatch * lowered.input.elements(), 4);
  const at::Tensor x = tensor(input, lowered);
  SpecNet in_floats(lowered, weights, Kernels::Library);  // which shows the value of every node
  SpecNet rounded(lowered, weights);
  runtime::QuantParams ranges;
  in_floats.forward_all(x, Mode::Training, [&](const arch::Node& node, const at::Tensor& y) {
    const at::Tensor dense = y.detach().contiguous();
    const std::span values(dense.const_data_ptr<float>(), static_cast<size_t>(dense.numel()));
    const double low = std::min(0.0f, std::ranges::min(values)), high = std::max(1e-3f, std::ranges::max(values));
    ranges.nodes[node.name].output = {1.02 * (high - low) / 255,
                                      static_cast<int>(std::lround(-127.0 - low / (1.02 * (high - low) / 255)))};
  });
  ranges.nodes[lowered.nodes[0].name].output = {8.0 / 255, 0};
  for (const arch::Node& node : lowered.nodes)  // as their kernels keep it
    if (std::holds_alternative<arch::AvgPool>(node.op) || std::holds_alternative<arch::GlobalAvgPool>(node.op) ||
        std::holds_alternative<arch::MaxPool>(node.op))
      ranges.nodes[node.name].output = ranges.nodes.at(lowered.node(node.inputs[0]).name).output;
  rounded.round_as(ranges);
  const auto gradient = [&](SpecNet& net) {
    const at::Tensor y = net.forward(x, Mode::Training);
    y.backward(at::ones_like(y));
    return std::vector<float>(net.gradients().begin(), net.gradients().end());
  };
  const std::vector<float> expected = gradient(in_floats), found = gradient(rounded);
  double dot = 0, a = 0, b = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    dot += double(expected[i]) * found[i];
    a += double(expected[i]) * expected[i];
    b += double(found[i]) * found[i];
  }
  REQUIRE(a > 0);
  REQUIRE(dot / std::sqrt(a * b) > 0.99);
}

TEST_CASE("a value that int8 cannot say has no gradient", "[nn]") {
  arch::Builder builder("one", {1, 2, 2});
  builder.add("conv", arch::Conv2d{.out = 1, .kernel = arch::square(1), .stride = arch::square(1)}, {builder.input()});
  const arch::Spec spec = builder.finish();
  arch::Weights weights;
  const std::vector<float> one{1.0f};
  weights.tensors["conv.weight"] = arch::make_f32({1, 1, 1, 1}, one);
  runtime::QuantParams ranges;
  ranges.nodes["input"].output = {0.05, 0};
  ranges.nodes["conv"].output = {0.01, 0};  // up to 1.27
  SpecNet net(spec, weights);
  net.round_as(ranges);
  std::vector<float> input{0.5f, 1.0f, 2.0f, -3.0f};
  const at::Tensor y = net.forward(at::from_blob(input.data(), {1, 1, 2, 2}), Mode::Training);
  y.backward(at::ones_like(y));
  CHECK_THAT(net.gradients()[0], Catch::Matchers::WithinAbs(1.5, 1e-6));
}

}  // namespace condenser::nn
