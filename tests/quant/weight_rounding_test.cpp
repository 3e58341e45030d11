// Integer weights and biases, and the mean error of rounding against the float executor.
#include "quant/weight_rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"

using namespace condenser;
using quant::WeightRows;

namespace {

WeightRows rows_of(const arch::Weights& weights, const std::string& node) {
  const arch::Tensor& w = weights.at(node + ".weight");
  WeightRows rows{node, w.shape[0], w.elements() / w.shape[0], w.f32(), {}};
  rows.bias.assign(static_cast<size_t>(rows.rows), 0.25f);
  return rows;
}

}  // namespace

TEST_CASE("weights are symmetric per row and off by at most half a step", "[quant][weights]") {
  const std::vector<float> w = {0.5f, -1.0f, 0.3f, 1e-3f, 2e-3f, -5e-4f};
  const WeightRows rows{"conv", 2, 3, w, {0.0f, 0.0f}};
  const std::vector<double> scales = quant::weight_scales(rows, 0.1);
  CHECK(scales[0] == Approx(1.0 / 127));
  CHECK(scales[1] == Approx(2e-3 / 127));
  const std::vector<int8_t> rounded = quant::round_weights(rows, scales);
  CHECK(rounded[1] == -127);
  CHECK(rounded[4] == 127);
  for (size_t i = 0; i < w.size(); ++i) {
    CHECK(std::abs(rounded[i] * scales[i / 3] - static_cast<double>(w[i])) <= 0.5001 * scales[i / 3]);
  }
}

TEST_CASE("weights of 4 bits are multiples of 16, and cut off what would make all others coarse", "[quant][weights]") {
  core::Rng rng(5);
  std::vector<float> w(64);
  for (float& v : w) v = static_cast<float>(rng.normal());
  w[7] = 6.0f;  // an outlier
  const WeightRows rows{"conv", 1, 64, w, {0.5f}, 4};
  const std::vector<double> scales = quant::weight_scales(rows, 0.1);
  const std::vector<int8_t> rounded = quant::round_weights(rows, scales);
  CHECK(scales[0] * 112 < 6.0);
  CHECK(scales[0] * 112 >= 3.0);
  CHECK(rounded[7] == 112);
  const auto error = [&](double scale) {
    double sum = 0;
    const std::vector<int8_t> q = quant::round_weights(rows, std::vector<double>{scale});
    for (size_t i = 0; i < w.size(); ++i) sum += std::pow(scale * q[i] - static_cast<double>(w[i]), 2);
    return sum;
  };
  CHECK(error(scales[0]) < error(6.0 / 112));
  for (size_t i = 0; i < w.size(); ++i) {
    CHECK(rounded[i] % 16 == 0);
    if (i != 7) CHECK(std::abs(rounded[i] * scales[0] - static_cast<double>(w[i])) <= 8.001 * scales[0]);
  }
}

TEST_CASE("biases of any size survive, also beside zero weights", "[quant][weights]") {
  const std::vector<float> w = {0, 0, 0, 0, 1e-7f, -1e-7f, 0.5f, 0.25f};
  for (double input_scale : {1e-6, 0.02, 10.0}) {
    const WeightRows rows{"conv", 4, 2, w, {3.5f, 0.0f, -120.0f, 1e4f}};
    const std::vector<double> scales = quant::weight_scales(rows, input_scale);
    const std::vector<int32_t> rounded = quant::round_biases(rows, scales, input_scale, {});
    for (size_t o = 0; o < 4; ++o) {
      CHECK(scales[o] > 0);
      CHECK(rounded[o] * scales[o] * input_scale == Approx(rows.bias[o]).epsilon(1e-5).margin(1e-9));
      CHECK(std::abs(static_cast<double>(rounded[o])) <= 1073741825.0);
    }
  }
}

TEST_CASE("predicted mean error is the one that the float executor sees", "[quant][weights]") {
  struct Case {
    std::string name;
    arch::Shape input;
    arch::Op op;
    int64_t groups;
  };
  const std::vector<Case> cases = {
      {"dense", {3, 7, 6}, arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1)}, 1},
      {"strided", {4, 9, 8}, arch::Conv2d{8, {5, 3}, {2, 3}, {2, 0, 1, 2}, 2}, 2},
      {"depthwise", {4, 6, 6}, arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), 4}, 4},
      {"pointwise", {6, 5, 5}, arch::Conv2d{4, {1, 1}, {1, 1}}, 1},
      {"linear", {12, 1, 1}, arch::Linear{5, false}, 1},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    arch::Builder b("net", c.input);
    b.add("layer", c.op, {b.input()});
    const arch::Spec spec = b.finish();
    const arch::Shape output = arch::analyze(spec).nodes[1].shape;
    const arch::Weights weights = arch::random_weights(spec, 11);
    const WeightRows rows = rows_of(weights, "layer");
    std::vector<double> scales = quant::weight_scales(rows, 0.02);
    for (double& s : scales) s *= 20;  // coarse, to make the error plain

    arch::Weights coarse = weights;
    const std::vector<int8_t> rounded = quant::round_weights(rows, scales);
    std::span<float> w = coarse.tensors.at("layer.weight").f32();
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = static_cast<float>(rounded[i] * scales[i / static_cast<size_t>(rows.taps)]);
    }

    constexpr int64_t kImages = 5;
    core::Rng rng(12);
    std::vector<float> x(static_cast<size_t>(kImages * c.input.elements()));
    for (float& v : x) v = static_cast<float>(rng.uniform(0.0, 2.0));
    std::vector<double> mean(static_cast<size_t>(c.input.elements()));
    for (size_t i = 0; i < x.size(); ++i) mean[i % mean.size()] += static_cast<double>(x[i]) / kImages;

    const std::vector<float> exact = runtime::FloatExecutor(spec, weights).run(x, kImages);
    const std::vector<float> off = runtime::FloatExecutor(spec, coarse).run(x, kImages);
    std::vector<double> seen(static_cast<size_t>(output.c));
    const auto pixels = static_cast<size_t>(output.h * output.w);
    for (size_t i = 0; i < exact.size(); ++i) {
      seen[i / pixels % seen.size()] += (double{off[i]} - double{exact[i]}) / static_cast<double>(kImages * pixels);
    }
    const std::vector<double> patches = quant::mean_patches(c.op, c.input, output, mean);
    const std::vector<double> predicted = quant::mean_errors(rows, rounded, scales, patches, c.groups);
    REQUIRE(predicted.size() == seen.size());
    double largest = 0;
    for (size_t o = 0; o < seen.size(); ++o) {
      CHECK(predicted[o] == Approx(seen[o]).margin(2e-5));
      largest = std::max(largest, std::abs(seen[o]));
    }
    CHECK(largest > 1e-3);  // otherwise the comparison says nothing

    // The correction moves the bias by exactly that.
    const std::vector<int32_t> moved = quant::round_biases(rows, scales, 0.02, predicted);
    for (size_t o = 0; o < seen.size(); ++o) {
      const double step = 0.02 * scales[o];
      CHECK(moved[o] * step == Approx(0.25 - predicted[o]).margin(0.51 * step));
    }
  }
}

TEST_CASE("weights that are no numbers are refused by node", "[quant][weights]") {
  const std::vector<float> w = {1.0f, std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_WITH(quant::weight_scales({"s1_c1", 1, 2, w, {0.0f}}, 0.1), Catch::Contains("s1_c1"));
  const std::vector<float> good = {1.0f, 2.0f};
  CHECK_THROWS_AS(quant::weight_scales({"fc", 1, 2, good, {std::numeric_limits<float>::infinity()}}, 0.1), core::Error);
}
