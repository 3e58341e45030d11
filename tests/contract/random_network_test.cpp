// Random networks through LibTorch: shapes are those of the analysis, values those of the float executor. A failure
// prints its seed.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/nn/spec_net.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"
#include "support/lively.hpp"
#include "support/random_spec.hpp"

namespace condenser {
namespace {

constexpr int64_t kBatch = 2;
// Values beyond this (deep products) leave float nothing to compare: such networks are left out, and counted.
constexpr double kLargest = 100;

arch::Spec random_network(uint64_t seed) {
  core::Rng rng(seed, 0, 0);
  return testing::random_spec(rng, 1 + static_cast<int>(rng.below(14)), testing::Operators::All);
}

std::vector<float> forward(const arch::Spec& spec, const arch::Weights& weights, std::vector<float>& input,
                           nn::Kernels kernels) {
  const at::NoGradGuard no_gradients;
  nn::SpecNet net(spec, weights, kernels);
  const at::Tensor x = at::from_blob(input.data(), {kBatch, spec.input.c, spec.input.h, spec.input.w});
  const std::vector<at::Tensor> outputs = net.forward_all(x, nn::Mode::Evaluation);
  const arch::Analysis analysis = arch::analyze(spec);
  REQUIRE(outputs.size() == spec.output_count());
  std::vector<float> all;  // one output after the other
  for (size_t k = 0; k < outputs.size(); ++k) {
    const at::Tensor y = outputs[k].contiguous();
    const arch::Shape shape = arch::output_shape(spec, analysis, k);
    CHECK(y.sizes() == at::IntArrayRef({kBatch, shape.c, shape.h, shape.w}));
    all.insert(all.end(), y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel());
  }
  return all;
}

// The output of the executor, and the largest value inside the network.
std::vector<float> execute(const arch::Spec& spec, const arch::Weights& weights, const std::vector<float>& input,
                           double& largest) {
  const auto tap = [&](int, std::span<const float> values) {
    for (const float v : values) largest = std::max(largest, std::isfinite(v) ? std::abs(double{v}) : 2 * kLargest);
  };
  return runtime::FloatExecutor(spec, weights).run(input, kBatch, tap);
}

bool compare(const arch::Spec& spec, uint64_t seed) {
  std::vector<float> input = testing::random_floats(kBatch * spec.input.elements(), seed);
  arch::Weights weights = testing::lively_weights(spec, seed);
  double largest = 1;
  const std::vector<float> expected = execute(spec, weights, input, largest);
  const auto agrees = [&](const std::vector<float>& found) {
    return largest > kLargest || testing::difference(found, expected).largest < 1e-4 * largest;
  };
  CHECK(agrees(forward(spec, weights, input, nn::Kernels::Own)));
  CHECK(agrees(forward(spec, weights, input, nn::Kernels::Library)));
  const arch::Spec lowered = arch::lower(spec, &weights);
  CHECK(agrees(forward(lowered, weights, input, nn::Kernels::Own)));
  return largest <= kLargest;
}

void compare_all(uint64_t begin, uint64_t end) {
  uint64_t compared = 0;
  for (uint64_t seed = begin; seed < end; ++seed) {
    INFO("seed " << seed);
    compared += compare(random_network(seed), seed);
  }
  CHECK(compared > (end - begin) * 3 / 4);
}

}  // namespace

TEST_CASE("LibTorch and the float executor agree on random networks", "[nn][contract]") { compare_all(0, 300); }

TEST_CASE("LibTorch and the float executor agree on five thousand random networks", "[nn][contract][slow]") {
  compare_all(10'000, 15'000);
}

}  // namespace condenser
