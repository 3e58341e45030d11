// quantize() as a whole: entries and scales of every node, accuracy of observers and bias correction, refusals.
#include "condenser/quant/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "condenser/runtime/int8_program.hpp"
#include "quant/calibrate.hpp"
#include "quant/observer.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_int8.hpp"

using namespace condenser;

namespace {

// Smooth random 8-bit images: a few waves per channel. Values cover 0 and 255.
std::unique_ptr<data::Dataset> images(const arch::Shape& shape, int n, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<uint8_t> pixels;
  std::vector<int> labels;
  for (int i = 0; i < n; ++i) {
    for (int64_t c = 0; c < shape.c; ++c) {
      const double fy = rng.uniform(0.1, 1.5), fx = rng.uniform(0.1, 1.5), phase = rng.uniform(0, 6.3);
      for (int64_t y = 0; y < shape.h; ++y) {
        for (int64_t x = 0; x < shape.w; ++x) {
          const double v = 127.5 + 140 * std::sin(fy * static_cast<double>(y) + fx * static_cast<double>(x) + phase);
          pixels.push_back(static_cast<uint8_t>(std::clamp(v, 0.0, 255.0)));
        }
      }
    }
    labels.push_back(i % 2);
  }
  const auto channels = static_cast<size_t>(shape.c);
  return data::make_image_dataset({shape.c, shape.h, shape.w}, {"a", "b"},
                                  {std::vector<double>(channels, 0.4), std::vector<double>(channels, 0.3)},
                                  std::move(pixels), std::move(labels));
}

struct Network {
  arch::Spec spec;  // lowered
  arch::Weights weights;
};

Network lowered(const arch::Spec& spec, uint64_t seed) {
  Network n;
  n.weights = arch::random_weights(spec, seed);
  n.spec = arch::lower(spec, &n.weights);
  return n;
}

// A network with every operator that int8 knows.
arch::Spec mixed() {
  arch::Builder b("mixed", {2, 12, 12});
  int x = b.add("c1", arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), 1, true, arch::Clamp::Relu}, {b.input()});
  const int pooled = b.add("pool", arch::AvgPool{{2, 2}, {2, 2}}, {x});
  x = b.add("c2", arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), 4, true}, {pooled});
  x = b.add("c2_act", arch::Activation{arch::ActivationKind::Silu}, {x});
  const int attention = b.add("c3", arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), 8, true}, {x});
  const int value = b.add("sc", arch::Conv2d{8, {1, 1}, {1, 1}, {}, 1, true}, {pooled});
  x = b.add("merge", arch::SoftmaxMul{}, {attention, value});
  x = b.add("sum", arch::Add{arch::Clamp::Relu6}, {x, pooled});
  x = b.add("max", arch::MaxPool{{2, 2}, {2, 2}}, {x});
  x = b.add("gap", arch::GlobalAvgPool{}, {x});
  b.add("fc", arch::Linear{2}, {x});
  return b.finish();
}

// Float weights that the int8 ones stand for.
arch::Weights dequantized(const arch::Spec& spec, const quant::Quantized& q) {
  arch::Weights result;
  for (const arch::Node& node : spec.nodes) {
    const auto& scales = q.quant.nodes.at(node.name).weight_scales;
    if (scales.empty()) continue;
    const double input = q.quant.nodes.at(spec.node(node.inputs[0]).name).output.scale;
    const arch::Tensor &weight = q.weights.at(node.name + ".weight"), &bias = q.weights.at(node.name + ".bias");
    arch::Tensor w = arch::make_tensor(arch::DType::F32, weight.shape);
    arch::Tensor b = arch::make_tensor(arch::DType::F32, bias.shape);
    const size_t taps = weight.i8().size() / scales.size();
    for (size_t i = 0; i < weight.i8().size(); ++i) {
      w.f32()[i] = static_cast<float>(weight.i8()[i] * scales[i / taps]);
    }
    for (size_t i = 0; i < scales.size(); ++i) b.f32()[i] = static_cast<float>(bias.i32()[i] * input * scales[i]);
    result.tensors[node.name + ".weight"] = w;
    result.tensors[node.name + ".bias"] = b;
  }
  return result;
}

std::vector<float> inputs_of(const data::Dataset& d) {
  const auto item = static_cast<size_t>(d.shape().elements());
  std::vector<float> x(item * static_cast<size_t>(d.size()));
  for (int64_t i = 0; i < d.size(); ++i) d.get(i, std::span(x).subspan(static_cast<size_t>(i) * item, item));
  return x;
}

}  // namespace

TEST_CASE("every exportable exemplar quantizes, and its layers stay clear of the noise", "[quant][quantize]") {
  int seen = 0;
  for (const auto& [name, spec] : testing::exemplars()) {
    const Network n = lowered(spec, 21);
    if (!testing::runs_in_int8(n.spec)) continue;
    quant::QuantOptions options;
    options.observer = quant::observer_names()[static_cast<size_t>(seen++) % 3];
    INFO(name << ", observer " << options.observer);
    const auto samples = images(n.spec.input, 8, 22);
    const quant::Quantized q = quant::quantize(arch::design_of(n.spec), n.weights, *samples, options);
    CHECK(q.quant.nodes.size() == n.spec.nodes.size());
    for (const quant::NodeReport& r : quant::node_reports(n.spec, n.weights, q.weights, q.quant, *samples)) {
      INFO(r.node);
      CHECK(r.snr_db > 15.0);
    }
  }
  CHECK(seen >= 8);
}

TEST_CASE("scales of a network with every int8 operator", "[quant][quantize]") {
  const arch::Spec spec = mixed();
  const arch::Weights weights = arch::random_weights(spec, 31);
  const auto samples = images(spec.input, 16, 32);
  for (const std::string& observer : quant::observer_names()) {
    INFO(observer);
    quant::QuantOptions options;
    options.observer = observer;
    const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, *samples, options);
    const auto output = [&](const char* node) { return q.quant.nodes.at(node).output; };

    CHECK(output("input").scale == Approx(1.0 / (255.0 * 0.3)));
    CHECK(output("input").zero_point == -128 + 102);  // 255 * 0.4
    CHECK(output("pool") == output("c1"));
    CHECK(output("max") == output("sum"));
    CHECK(output("gap") == output("sum"));
    CHECK(output("c1").zero_point == -128);            // after its ReLU
    CHECK(output("sum").scale <= 6.0 / 255.0 + 1e-9);  // after its ReLU6
    for (const char* node : {"c1", "c2", "c3", "sc", "fc"}) {
      const std::vector<double>& scales = q.quant.nodes.at(node).weight_scales;
      const std::span<const float> w = weights.at(std::string(node) + ".weight").f32();
      const size_t taps = w.size() / scales.size();
      for (size_t o = 0; o < scales.size(); ++o) {
        float largest = 0;
        for (float v : w.subspan(o * taps, taps)) largest = std::max(largest, std::abs(v));
        CHECK(scales[o] == Approx(largest / 127.0));
      }
    }
    const std::vector<quant::NodeReport> reports = quant::node_reports(spec, weights, q.weights, q.quant, *samples);
    CHECK(reports.front().snr_db > 45.0);
    for (const quant::NodeReport& r : reports) {
      INFO(r.node << " " << r.snr_db);
      CHECK(r.snr_db > (std::string(observer) == "entropy" ? 15.0 : 20.0));  // which clips more than the others
    }
  }
}

TEST_CASE("scales of moves, products, slopes and concatenations", "[quant][quantize]") {
  arch::Builder b("moves", {4, 10, 10});
  const int c = b.add("c", arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), 1, true}, {b.input()});
  const int act = b.add("act", arch::PRelu{}, {c});
  const int left = b.add("left", arch::Slice{0, 4}, {act});
  const int right = b.add("right", arch::Slice{4, 4}, {act});
  const int same = b.add("same", arch::Concat{}, {right, left});
  const int blur = b.add("blur", arch::BlurPool{3, {2, 2}}, {b.add("shuffle", arch::ChannelShuffle{2}, {same})});
  const int up = b.add("up", arch::Upsample{{10, 10}}, {blur});
  const int weighted = b.add("weighted", arch::Scale{}, {up});
  const int gate =
      b.add("gate", arch::Activation{arch::ActivationKind::Sigmoid}, {b.add("mean", arch::GlobalAvgPool{}, {c})});
  b.add("mixed", arch::Concat{}, {b.add("product", arch::Mul{}, {gate, act}), weighted});
  const arch::Spec spec = b.finish();
  arch::Weights weights = arch::random_weights(spec, 41);
  const std::span<float> slopes = weights.tensors.at("act.weight").f32();
  for (size_t i = 0; i < slopes.size(); ++i) slopes[i] = 0.3f * static_cast<float>(i) - 1.0f;
  weights.tensors.at("weighted.weight").f32()[0] = -1.7f;
  const auto samples = images(spec.input, 16, 42);
  const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, *samples, {});
  const auto output = [&](const char* node) { return q.quant.nodes.at(node).output; };
  for (const char* node : {"left", "right", "same", "shuffle", "blur", "up"}) CHECK(output(node) == output("act"));
  CHECK_FALSE(output("mixed") == output("product"));
  CHECK(q.quant.nodes.at("act").weight_scales ==
        std::vector<double>{double{static_cast<float>(double{slopes[7]} / 127.0)}});
  CHECK(q.weights.at("act.weight").i8()[7] == 127);
  CHECK(q.weights.at("act.weight").i8()[0] == static_cast<int8_t>(std::lround(-127.0 / double{slopes[7]})));
  CHECK(q.weights.at("weighted.weight") == weights.at("weighted.weight"));
  for (const auto& [name, node] : q.quant.nodes) {  // files of other programs hold them so
    INFO(name);
    CHECK(double{static_cast<float>(node.output.scale)} == node.output.scale);
    for (const double scale : node.weight_scales) CHECK(double{static_cast<float>(scale)} == scale);
  }
  for (const quant::NodeReport& r : quant::node_reports(spec, weights, q.weights, q.quant, *samples)) {
    INFO(r.node << " " << r.snr_db);
    CHECK(r.snr_db > 25.0);
  }
  weights.tensors.at("act.weight").f32()[3] = NAN;
  CHECK_THROWS_AS(quant::quantize(arch::design_of(spec), weights, *samples, {}), core::Error);
}

TEST_CASE("ranges are those of the activations on the chosen samples", "[quant][quantize]") {
  const arch::Spec spec = mixed();
  const arch::Weights weights = arch::random_weights(spec, 33);
  const auto samples = images(spec.input, 70, 34);  // more than one batch
  quant::QuantOptions options;
  options.observer = "min_max";
  const quant::Calibration c = quant::calibrate(spec, weights, *samples, options);
  const std::vector<float> x = inputs_of(*samples);
  runtime::FloatExecutor(spec, weights).run(x, 70, [&](int node, std::span<const float> values) {
    const auto i = static_cast<size_t>(node);
    if (arch::passes_values_on(spec.nodes[i].op)) return;
    INFO(spec.nodes[i].name);
    CHECK(c.ranges[i].low == Approx(std::min(0.0f, *std::ranges::min_element(values))).epsilon(1e-5));
    CHECK(c.ranges[i].high == Approx(std::max(0.0f, *std::ranges::max_element(values))).epsilon(1e-5));
    if (c.means[i].empty()) return;
    std::vector<double> mean(c.means[i].size());
    for (size_t k = 0; k < values.size(); ++k) mean[k % mean.size()] += static_cast<double>(values[k]) / 70;
    for (size_t k = 0; k < mean.size(); ++k) CHECK(c.means[i][k] == Approx(mean[k]).margin(1e-5));
  });
  options.calibration_samples = 8;
  CHECK(quant::calibrate(spec, weights, *samples, options).ranges[1].high <= c.ranges[1].high);
  options.bias_correction = false;
  for (const auto& mean : quant::calibrate(spec, weights, *samples, options).means) CHECK(mean.empty());
}

TEST_CASE("quantizing is deterministic and the seed chooses the samples", "[quant][quantize]") {
  const arch::Spec spec = mixed();
  const arch::Weights weights = arch::random_weights(spec, 35);
  const auto samples = images(spec.input, 40, 36);
  quant::QuantOptions options;
  options.calibration_samples = 4;
  const quant::Quantized a = quant::quantize(arch::design_of(spec), weights, *samples, options);
  const quant::Quantized b = quant::quantize(arch::design_of(spec), weights, *samples, options);
  CHECK(a.quant == b.quant);
  CHECK(a.weights == b.weights);
  options.calibration_seed = 99;
  CHECK(!(quant::quantize(arch::design_of(spec), weights, *samples, options).quant == a.quant));
}

TEST_CASE("bias correction takes the mean error of weight rounding away", "[quant][quantize]") {
  arch::Builder b("bias", {2, 10, 10});
  b.add("c1", arch::Conv2d{6, {3, 3}, {1, 1}, arch::pad_all(1), 1, true, arch::Clamp::Relu}, {b.input()});
  b.add("c2", arch::Conv2d{6, {3, 3}, {2, 2}, arch::pad_all(1), 1, true}, {b.last()});
  const arch::Spec spec = b.finish();
  arch::Weights weights = arch::random_weights(spec, 41);
  // One large tap per channel leaves few levels for the rest, as a badly conditioned batch norm does.
  for (size_t o = 0; o < 6; ++o) weights.tensors.at("c2.weight").f32()[o * 54] = 8.0f;
  const auto samples = images(spec.input, 24, 42);
  const std::vector<float> x = inputs_of(*samples), exact = runtime::FloatExecutor(spec, weights).run(x, 24);

  double errors[2] = {0, 0};
  for (bool correct : {false, true}) {
    quant::QuantOptions options;
    options.bias_correction = correct;
    const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, *samples, options);
    arch::Weights rounded = dequantized(spec, q);
    for (const char* part : {"c1.weight", "c1.bias"}) rounded.tensors[part] = weights.tensors.at(part);
    const std::vector<float> y = runtime::FloatExecutor(spec, rounded).run(x, 24);
    double mean[6] = {};
    for (size_t i = 0; i < y.size(); ++i) mean[i / 25 % 6] += (double{y[i]} - double{exact[i]}) / (25.0 * 24.0);
    for (double m : mean) errors[correct] += std::abs(m) / 6;
  }
  CHECK(errors[0] > 1e-3);
  CHECK(errors[1] < 0.01 * errors[0]);
}

TEST_CASE("mse costs less than min_max when activations have heavy tails", "[quant][quantize]") {
  arch::Builder b("tails", {1, 12, 12});
  b.add("c1", arch::Conv2d{8, {3, 3}, {1, 1}, arch::pad_all(1), 1, true}, {b.input()});
  const arch::Spec spec = b.finish();
  const arch::Weights weights = arch::random_weights(spec, 51);
  // Dim images with a rare bright pixel.
  core::Rng rng(52);
  std::vector<uint8_t> pixels(144 * 200);
  for (uint8_t& p : pixels) p = static_cast<uint8_t>(rng.below(5) + 100);
  for (size_t i = 0; i < 3; ++i) pixels[i * 144 * 60 + 70] = 255;
  const auto samples = data::make_image_dataset({1, 12, 12}, {"a"}, {{0.4}, {0.02}}, pixels, std::vector<int>(200, 0));
  double snr[2];
  for (int k = 0; k < 2; ++k) {
    quant::QuantOptions options;
    options.observer = k ? "mse" : "min_max";
    const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, *samples, options);
    double signal = 0, noise = 0;
    const runtime::TensorQuant t = q.quant.nodes.at("c1").output;
    for (float v : runtime::FloatExecutor(spec, weights).run(inputs_of(*samples), 200)) {
      const double level = std::clamp(std::round(v / t.scale) + t.zero_point, -128.0, 127.0);
      signal += double{v} * v;
      noise += std::pow(v - t.scale * (level - t.zero_point), 2);
    }
    snr[k] = 10 * std::log10(signal / noise);
  }
  INFO("min_max " << snr[0] << " dB, mse " << snr[1] << " dB");
  CHECK(snr[1] >= snr[0]);
}

TEST_CASE("dead channels, dead layers and huge biases still give numbers that kernels can use", "[quant][quantize]") {
  const arch::Spec spec = mixed();
  const auto samples = images(spec.input, 8, 61);
  const auto fill = [](arch::Weights& w, const char* name, float value) {
    std::ranges::fill(w.tensors.at(name).f32(), value);
  };
  const arch::Weights plain = arch::random_weights(spec, 62);
  for (int variant = 0; variant < 5; ++variant) {
    INFO("variant " << variant);
    arch::Weights w = plain;
    if (variant == 0) std::ranges::fill(w.tensors.at("c1.weight").f32().first(18), 0.0f);  // one channel
    if (variant == 1) fill(w, "c1.weight", 0.0f);                                          // everything after is dead
    if (variant == 2) fill(w, "c3.bias", 1e6f);
    if (variant == 3) fill(w, "sc.weight", 1e-20f);
    if (variant == 4) {
      fill(w, "c2.weight", 0.0f);
      fill(w, "c2.bias", -5.0f);
    }
    const quant::Quantized q = quant::quantize(arch::design_of(spec), w, *samples, {});
    const auto reports = quant::node_reports(spec, w, q.weights, q.quant, *samples);  // builds and runs
    if (variant != 2) CHECK((reports.back().snr_db > 15.0));
    for (const auto& [name, tensor] : q.weights.tensors) {
      if (tensor.dtype == arch::DType::I32) {
        for (int32_t b : tensor.i32()) CHECK(std::abs(int64_t{b}) <= (int64_t{1} << 30) + (1 << 20));
      }
    }
  }
}

// Six is the end of the range then, whose scale is rounded to single precision, here upwards.
TEST_CASE("products that reach a clamp at six have numbers that kernels take", "[quant][quantize]") {
  arch::Builder b("product", {4, 6, 6});
  const int logits = b.add("logits", arch::Conv2d{.out = 4, .kernel = {1, 1}, .bias = true}, {b.input()});
  const int value = b.add("value", arch::Conv2d{.out = 4, .kernel = {1, 1}, .bias = true}, {b.input()});
  const int product = b.add("product", arch::SoftmaxMul{.rescale = true}, {logits, value});
  const int act = b.add("act", arch::Activation{arch::ActivationKind::Relu6}, {product});
  const int pool = b.add("pool", arch::GlobalAvgPool{}, {act});
  b.add("fc", arch::Linear{.out = 2}, {pool});
  Network n = lowered(b.finish(), 3);
  std::ranges::fill(n.weights.tensors.at("value.bias").f32(), 50.0F);
  const auto data = images(n.spec.input, 16, 5);
  for (const char* observer : {"min_max", "percentile", "mse"}) {
    quant::QuantOptions options;
    options.observer = observer;
    const quant::Quantized q = quant::quantize(arch::design_of(n.spec), n.weights, *data, options);
    INFO(observer);
    CHECK(q.quant.nodes.at(n.spec.nodes[3].name).output.scale == Approx(6.0 / 255).epsilon(1e-6));
    CHECK_NOTHROW(runtime::build_program(n.spec, q.weights, q.quant));
  }
}

TEST_CASE("quantize refuses what it cannot do", "[quant][quantize]") {
  arch::Builder b("bn", {2, 6, 6});
  b.add("c1", arch::Conv2d{4, {3, 3}, {1, 1}}, {b.input()});
  b.add("c1_bn", arch::BatchNorm{}, {b.last()});
  const arch::Spec unlowered = b.finish();
  const auto samples = images({2, 6, 6}, 4, 71);
  CHECK_THROWS_WITH(quant::quantize(arch::design_of(unlowered), arch::random_weights(unlowered, 1), *samples, {}),
                    Catch::Contains("c1.bias is missing"));  // weights of the network as given

  const arch::Spec spec = mixed();
  const arch::Weights weights = arch::random_weights(spec, 72);
  CHECK_THROWS_WITH(quant::quantize(arch::design_of(spec), weights, *samples, {}), Catch::Contains("2x6x6"));
  const auto fitting = images(spec.input, 4, 73);
  const auto none = data::make_image_dataset({2, 12, 12}, {"a"}, {{0, 0}, {1, 1}}, {}, {});
  CHECK_THROWS_AS(quant::quantize(arch::design_of(spec), weights, *none, {}), core::Error);
  quant::QuantOptions options;
  options.observer = "median";
  CHECK_THROWS_AS(quant::quantize(arch::design_of(spec), weights, *fitting, options), core::Error);
  arch::Weights bad = weights;
  bad.tensors.at("c2.weight").f32()[3] = std::nanf("");
  CHECK_THROWS_AS(quant::quantize(arch::design_of(spec), bad, *fitting, {}), core::Error);
}

TEST_CASE("values of 16 bits reach the largest and lose little", "[quant][quantize]") {
  const arch::Spec spec = mixed();
  const arch::Weights weights = arch::random_weights(spec, 72);
  const auto samples = images(spec.input, 24, 73);
  const arch::Design design = arch::design_of(spec);
  const quant::Quantized plain = quant::quantize(design, weights, *samples, {});
  const quant::Quantized wide = quant::quantize(design, weights, *samples, {.int16 = {"sc", "merge", "c2*"}});
  std::vector<std::string> chosen;
  for (const auto& [name, node] : wide.quant.nodes) {
    if (node.output.bits == 8) continue;
    chosen.push_back(name);
    CHECK(node.output.zero_point == 0);
  }
  CHECK(chosen == std::vector<std::string>{"c2", "c2_act", "merge", "sc"});
  const auto reports = quant::node_reports(spec, weights, wide.weights, wide.quant, *samples);
  const auto before = quant::node_reports(spec, weights, plain.weights, plain.quant, *samples);
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    INFO(spec.nodes[i].name);
    if (wide.quant.nodes.at(spec.nodes[i].name).output.bits == 8) continue;
    CHECK(reports[i].saturated_fraction == 0);
    CHECK(reports[i].snr_db > before[i].snr_db);
  }
  // The largest value is at the end of the range: 32767 steps.
  double largest = 0;
  runtime::FloatExecutor(spec, weights).run(inputs_of(*samples), 24, [&](int node, std::span<const float> values) {
    if (spec.node(node).name != "merge") return;
    for (const float v : values) largest = std::max(largest, double{std::abs(v)});
  });
  CHECK(wide.quant.nodes.at("merge").output.scale == Approx(largest / 32767).epsilon(1e-6));
  // Outputs that are given keep their bits, as in training in int8 form.
  const quant::Quantized again = quant::quantize(spec, arch::analyze(spec), weights, wide.quant);
  for (const auto& [name, node] : wide.quant.nodes) CHECK(again.quant.nodes.at(name).output == node.output);
}

TEST_CASE("weights of 4 bits are int8 weights whose kernels unpack them", "[quant][quantize]") {
  for (const char* rounding : {"nearest", "learned"}) {
    INFO(rounding);
    const Network n = lowered(testing::exemplar("network_tiny"), 5);
    const auto data = images(n.spec.input, 24, 91);
    arch::Design whole = arch::design_of(n.spec), four = whole;
    arch::choose_int4(four, {"all"});
    quant::QuantOptions options;
    options.weight_rounding = rounding;
    const quant::Quantized q = quant::quantize(four, n.weights, *data, options);
    size_t layers = 0;
    for (const arch::Node& node : four.lowered.nodes) {
      if (arch::weight_bits(node.op) != 4) continue;
      ++layers;
      const auto weights = q.weights.at(node.name + ".weight").i8();
      CHECK(std::ranges::all_of(weights, [](int8_t w) { return w % 16 == 0 && w >= -112; }));
      CHECK(std::ranges::any_of(weights, [](int8_t w) { return w != 0; }));
    }
    CHECK(layers > 2);
    runtime::Int8Executor packed(runtime::build_program(four.lowered, q.weights, q.quant));
    runtime::Int8Executor plain(runtime::build_program(whole.lowered, q.weights, q.quant));
    std::vector<float> x(static_cast<size_t>(n.spec.input.elements()));
    std::vector<int8_t> input(x.size());
    for (int64_t i = 0; i < 8; ++i) {
      data->get(i, x);
      packed.quantize_input(x, input);
      CHECK(std::ranges::equal(packed.run(input), plain.run(input)));
    }
    arch::Weights odd = q.weights;
    const std::string name = four.lowered.nodes[1].name + ".weight";
    odd.tensors.at(name).i8()[0] = 17;
    CHECK_THROWS_WITH(runtime::build_program(four.lowered, odd, q.quant),
                      Catch::Contains(name) && Catch::Contains("multiples of 16"));
  }
}

TEST_CASE("options are read, checked and documented", "[quant][quantize]") {
  auto reader = core::config::Reader::from_text(
      "observer: percentile\npercentile: 99.5\ncalibration_samples: 64\ncalibration_seed: 7\nbias_correction: false\n"
      "max_loss: 0.5\nweight_rounding: learned\nequalize: true\nauto: true\nsensitivity: 96\nint4: [inner, "
      "-dw*]\nint16: [all, -a]\nqat: "
      "{epochs: 3, lr: "
      "0.001, teacher: 0}\n",
      "run.yaml");
  quant::QuantOptions o;
  quant::read_options(reader, o);
  reader.finish();
  CHECK(o.observer == "percentile");
  CHECK(o.percentile == 99.5);
  CHECK(o.calibration_samples == 64);
  CHECK(o.calibration_seed == 7);
  CHECK(!o.bias_correction);
  CHECK(o.max_loss == 0.5);
  CHECK(o.weight_rounding == "learned");
  CHECK(o.equalize);
  CHECK(o.automatic);
  CHECK(o.sensitivity == 96);
  CHECK(o.int16 == std::vector<std::string>{"all", "-a"});
  CHECK(o.int4 == std::vector<std::string>{"inner", "-dw*"});
  CHECK(o.qat.epochs == 3);
  CHECK(o.qat.lr == 0.001);
  CHECK(o.qat.teacher == 0);
  CHECK(reader.options().size() == 16);  // the section counts
  for (const char* text :
       {"observer: median", "weight_rounding: up", "sensitivity: -1", "percentile: 101", "calibration_samples: 0",
        "max_loss: -1", "qat: {epochs: -1}", "qat: {lr: 0}", "qat: {teacher: 2}"}) {
    auto wrong = core::config::Reader::from_text(text, "run.yaml");
    CHECK_THROWS_AS(quant::read_options(wrong, o), core::ConfigError);
  }
}
