// Equalization changes what stands between layers, never what comes out; learned rounding brings outputs nearer.
#include <algorithm>
#include <cmath>

#include "condenser/arch/builder.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/quant/equalize.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "quant/patch_moments.hpp"
#include "quant/weight_rounding.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

using namespace condenser;

namespace {

std::vector<float> images_of(const arch::Shape& shape, int64_t n, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<float> x(static_cast<size_t>(n * shape.elements()));
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

double largest(std::span<const float> x) {
  double most = 0;
  for (const float v : x) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

// Two layers, the first's channels of very different sizes.
arch::Spec two_layers(arch::Clamp clamp, int groups) {
  arch::Builder b("net", {3, 8, 7});
  arch::Conv2d first{8, {3, 3}, {1, 1}, arch::pad_all(1), 1, true};
  first.clamp = clamp;
  const int x = b.add("first", first, {b.input()});
  const int pooled = b.add("pool", arch::MaxPool{{2, 2}, {2, 2}, arch::Pad{}}, {x});
  b.add("second", arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), groups, true}, {pooled});
  return b.finish();
}

}  // namespace

TEST_CASE("equalized networks compute the same", "[quant]") {
  int pairs = 0;
  for (const testing::Exemplar& e : testing::exemplars()) {
    INFO(e.name);
    arch::Weights weights = arch::random_weights(e.spec, 21);
    const arch::Spec spec = arch::lower(e.spec, &weights);
    arch::Weights equal = weights;
    pairs += quant::equalize(spec, equal);
    const std::vector<float> x = images_of(spec.input, 2, 22);
    const std::vector<float> before = runtime::FloatExecutor(spec, weights).run(x, 2);
    const std::vector<float> after = runtime::FloatExecutor(spec, equal).run(x, 2);
    const double size = largest(before);
    for (size_t i = 0; i < before.size(); ++i) REQUIRE(after[i] == Approx(before[i]).margin(1e-4 * size + 1e-6));
  }
  CHECK(pairs > 20);
}

TEST_CASE("channels come to equal ranges on both sides, except behind a clamp that has an end", "[quant]") {
  for (const int groups : {1, 4, 8}) {
    const arch::Spec spec = two_layers(arch::Clamp::Relu, groups);
    arch::Weights weights = arch::random_weights(spec, 5);
    const std::span<float> first = weights.tensors.at("first.weight").f32();
    for (size_t i = 0; i < first.size(); ++i) first[i] *= std::pow(4.0f, static_cast<float>(i / 27));
    for (float& b : weights.tensors.at("first.bias").f32()) b = static_cast<float>(largest(first));
    const std::vector<float> x = images_of(spec.input, 2, 6);
    const std::vector<float> before = runtime::FloatExecutor(spec, weights).run(x, 2);
    CHECK(quant::equalize(spec, weights) == 1);
    const std::vector<float> after = runtime::FloatExecutor(spec, weights).run(x, 2);
    for (size_t i = 0; i < before.size(); ++i) REQUIRE(after[i] == Approx(before[i]).margin(1e-4 * largest(before)));
    const std::span<const float> second = std::as_const(weights.tensors.at("second.weight")).f32();
    const int64_t in_group = 8 / groups, of_group = 8 / groups;
    for (int64_t c = 0; c < 8; ++c) {
      double read = 0;
      for (int64_t o = c / in_group * of_group; o < (c / in_group + 1) * of_group; ++o)
        read = std::max(read, largest(second.subspan(static_cast<size_t>((o * in_group + c % in_group) * 9), 9)));
      CHECK(largest(first.subspan(static_cast<size_t>(c * 27), 27)) == Approx(read).epsilon(1e-3));
    }
  }
  const arch::Spec bounded = two_layers(arch::Clamp::Relu6, 1);
  arch::Weights weights = arch::random_weights(bounded, 5);
  const arch::Weights before = weights;
  CHECK(quant::equalize(bounded, weights) == 0);
  CHECK(std::ranges::equal(std::as_const(weights.tensors.at("first.weight")).f32(),
                           before.tensors.at("first.weight").f32()));
}

TEST_CASE("weights that learn their rounding bring outputs nearer to the exact ones", "[quant]") {
  struct Case {
    const char* name;
    arch::Shape input;
    arch::Op op;
  };
  const Case cases[] = {{"dense", {6, 9, 8}, arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1)}},
                        {"strided, asymmetric", {4, 9, 8}, arch::Conv2d{8, {5, 3}, {2, 3}, {2, 0, 1, 2}, 2}},
                        {"depthwise", {6, 8, 8}, arch::Conv2d{6, {3, 3}, {1, 1}, arch::pad_all(1), 6}},
                        {"pointwise", {16, 5, 5}, arch::Conv2d{4, {1, 1}, {1, 1}}},
                        {"linear", {24, 1, 1}, arch::Linear{5, false}}};
  for (const Case& c : cases) {
    INFO(c.name);
    arch::Builder b("net", c.input);
    b.add("layer", c.op, {b.input()});
    const arch::Spec spec = b.finish();
    const arch::Shape output = arch::analyze(spec).nodes[1].shape;
    const arch::Weights weights = arch::random_weights(spec, 31);
    // Neighbours that go together, as those of pictures do: what one weight loses another can make up for.
    std::vector<float> x = images_of(c.input, 40, 32);
    for (size_t i = 1; i < x.size(); ++i) x[i] = 0.9f * x[i - 1] + 0.3f * x[i];
    const auto item = static_cast<size_t>(c.input.elements()), map = static_cast<size_t>(c.input.h * c.input.w);
    for (size_t i = 0; i < x.size(); ++i)
      if (i % item >= map) x[i] = 0.3f * x[i] + x[i / item * item + i % map];  // so do channels
    quant::PatchMoments moments(c.op, c.input, output);
    const size_t half = x.size() / 2;
    moments.add(std::span(x).first(half), 0);
    const arch::Tensor& w = weights.at("layer.weight");
    quant::WeightRows rows{"layer", w.shape[0], w.elements() / w.shape[0], w.f32(), {}};
    rows.bias.assign(static_cast<size_t>(rows.rows), 0.0f);
    std::vector<double> scales = quant::weight_scales(rows, 0.02);
    for (double& s : scales) s *= 8;  // as coarse as four bits
    const auto error = [&](const std::vector<int8_t>& rounded) {
      arch::Weights coarse = weights;
      std::span<float> to = coarse.tensors.at("layer.weight").f32();
      for (size_t i = 0; i < to.size(); ++i)
        to[i] = static_cast<float>(rounded[i] * scales[i / static_cast<size_t>(rows.taps)]);
      const std::span<const float> unseen = std::span(x).subspan(half);
      const std::vector<float> exact = runtime::FloatExecutor(spec, weights).run(unseen, 20);
      const std::vector<float> off = runtime::FloatExecutor(spec, coarse).run(unseen, 20);
      double sum = 0;
      for (size_t i = 0; i < exact.size(); ++i) sum += std::pow(double{exact[i]} - double{off[i]}, 2);
      return sum;
    };
    const double nearest = error(quant::round_weights(rows, scales));
    const double learned = error(quant::learn_weights(rows, scales, moments, false));
    CHECK(learned < 0.8 * nearest);
  }
}

TEST_CASE("moments are those of the patches, and without any weights go to nearest", "[quant]") {
  quant::PatchMoments moments(arch::Linear{1, false}, {2, 1, 1}, {1, 1, 1});
  CHECK(moments.empty());
  moments.add(std::vector<float>{1, 2, 3, 6}, 0);
  CHECK(moments.moments(0, false)(0, 0) == Approx(5));
  CHECK(moments.moments(0, false)(0, 1) == Approx(10));
  CHECK(moments.moments(0, true)(0, 1) == Approx(2));
  CHECK(moments.moments(0, true)(1, 1) == Approx(4));
  quant::PatchMoments zeros(arch::Linear{1, false}, {2, 1, 1}, {1, 1, 1});
  zeros.add(std::vector<float>{0, 0}, 0);
  const std::vector<float> w = {0.3f, -0.7f};
  const quant::WeightRows rows{"layer", 1, 2, w, {0.0f}};
  const std::vector<double> scales = {0.5};
  CHECK(quant::learn_weights(rows, scales, zeros, true) == quant::round_weights(rows, scales));
}
